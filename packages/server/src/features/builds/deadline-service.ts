import type { WorkspaceBuild } from "@slipway/api";

import type { Queryable } from "../../platform/db/database.ts";
import { timestampFromMs, timestampMs } from "../../platform/db/timestamp.ts";
import { HttpError, invalidField } from "../../platform/http/errors.ts";
import { clearDeadlines, updateActivity, updateBuildDeadline } from "./deadline-queries.ts";

/** Farthest that a deadline can be ahead, in milliseconds. */
const maxDeadlineMs = 30 * 24 * 60 * 60 * 1000;

/** The workspace is used: its deadline moves on (docs/protocol/rpc.md §7.4). */
export async function noteActivity(db: Queryable, workspaceId: string): Promise<void> {
  await updateActivity(db, workspaceId);
}

/** What runs of a workspace does not stop by itself any more. */
export async function dropDeadline(db: Queryable, workspaceId: string): Promise<void> {
  await clearDeadlines(db, workspaceId);
}

/**
 * Sets when a running build ends by itself, in RFC 3339; false when that is the time already. Throws 409 when the
 * workspace does not run or is stopped by hand, 400 for a time that is past or too far away.
 */
export async function extendDeadline(
  db: Queryable,
  build: WorkspaceBuild,
  deadline: string,
  now: number,
): Promise<boolean> {
  if (build.status !== "running") {
    throw new HttpError(409, `Workspace must be started, current status: ${build.status}`);
  }
  if (build.deadline === null) {
    throw new HttpError(409, "Workspace shutdown is manual.", {
      detail: "Set a time to live, and start it again.",
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
