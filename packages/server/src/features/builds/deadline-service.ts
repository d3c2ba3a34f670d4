import type { WorkspaceBuild } from "@slipway/api";

import type { Queryable } from "../../platform/db/database.ts";
import { timestampFromMs, timestampMs } from "../../platform/db/timestamp.ts";
import { Conflict, invalidField } from "../../platform/errors/errors.ts";
import {
  clearDeadlines,
  updateActivity,
  updateBuildDeadline,
  updateMaxDeadlines,
} from "./deadline-queries.ts";

/** The farthest that a deadline may lie ahead, in milliseconds. */
const maxDeadlineMs = 30 * 24 * 60 * 60 * 1000;

/** Records that the workspace is in use, which extends its deadline (docs/protocol/rpc.md §7.4). */
export async function noteActivity(db: Queryable, workspaceId: string): Promise<void> {
  await updateActivity(db, workspaceId);
}

/** Removes the deadline of a running workspace. */
export async function dropDeadline(db: Queryable, workspaceId: string): Promise<void> {
  await clearDeadlines(db, workspaceId);
}

/**
 * Requires the running workspaces of a template to stop at a time, whether or not they are in use, where none is required
 * yet; resolves to their ids. Its starts get that time from the scheduler, not with their builds.
 */
export async function requireStops(
  db: Queryable,
  templateId: string,
  at: number,
): Promise<readonly string[]> {
  return updateMaxDeadlines(db, templateId, timestampFromMs(at));
}

/**
 * Sets the deadline of a running build, in RFC 3339; returns false if it is unchanged. Throws `Conflict` when the
 * workspace is not running or has no deadline, `Invalid` for a time that is past or too far ahead.
 */
export async function extendDeadline(
  db: Queryable,
  build: WorkspaceBuild,
  deadline: string,
  now: number,
): Promise<boolean> {
  if (build.status !== "running") {
    throw new Conflict(`Workspace must be started, current status: ${build.status}`);
  }
  if (build.deadline === null) {
    throw new Conflict("Workspace shutdown is manual.", {
      detail: "Set a time to live, then restart the workspace.",
    });
  }
  const wantedMs = timestampMs(deadline);
  if (!(wantedMs > now)) throw invalidField("deadline", `must be in the future, found ${deadline}`);
  const limitMs = Math.min(
    now + maxDeadlineMs,
    build.max_deadline === null ? Infinity : timestampMs(build.max_deadline),
  );
  if (wantedMs > limitMs) {
    const limit = timestampFromMs(limitMs);
    throw invalidField("deadline", `must be at most ${limit}, found ${deadline}`);
  }
  if (wantedMs === timestampMs(build.deadline)) return false;
  await updateBuildDeadline(db, build.id, timestampFromMs(wantedMs));
  return true;
}
