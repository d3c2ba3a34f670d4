import type { Transition } from "@slipway/api";

import { parseAutostart } from "../workspaces/autostart-schedule.ts";
import { type DormantDeletion, lastDayMs } from "../workspaces/dormant-deletion.ts";

/** A workspace as far as its schedules and its template's rules need it. Times are milliseconds since the epoch; undefined: none. */
export interface ScheduledWorkspace {
  readonly id: string;
  readonly ownerIsActive: boolean;
  readonly isDormant: boolean;
  /** The deletion for which its template asks while it is dormant. */
  readonly deletion: DormantDeletion | undefined;
  /** The last use, or the creation. */
  readonly lastUsedAt: number;
  /** The autostart schedule, `CRON_TZ=…` and five fields. */
  readonly autostart: string | undefined;
  /** The next scheduled start that was not handled yet; one in the past was missed. */
  readonly nextStartAt: number | undefined;
  readonly rules: {
    /** False if owners may not schedule starts; schedules that exist are passed over. */
    readonly allowsAutostart: boolean;
    /** The time without use after which a workspace is dormant, in milliseconds. */
    readonly dormancyMs: number | undefined;
    /** The time after which a failed start is stopped, in milliseconds. */
    readonly failureTtlMs: number | undefined;
  };
  readonly build: {
    readonly transition: Transition;
    readonly job: "open" | "succeeded" | "failed" | "canceled";
    /** The end of its job. */
    readonly completedAt: number | undefined;
    /** The time when the build stops by itself. */
    readonly deadline: number | undefined;
  };
}

/** The action due for a workspace now. `nextStartAt` follows the handled time. */
export type ScheduleAction =
  | { readonly kind: "sleep" }
  | { readonly kind: "announceDeletion" }
  | { readonly kind: "delete" }
  | { readonly kind: "stop"; readonly reason: "autostop" | "dormancy" }
  | { readonly kind: "start"; readonly nextStartAt: number | undefined }
  | { readonly kind: "skip"; readonly nextStartAt: number | undefined };

/**
 * Decides the action due at `now`. However many times of a schedule were missed, one start makes up for them; a time at
 * which the workspace is running or dormant, its owner suspended, or owners' schedules are off, is skipped. While a build is active nothing is
 * decided.
 *
 * A workspace that is not used for long is made dormant first, and stopped at the next look.
 *
 * A failed start may have left resources, so it is stopped once; a stop that fails is not tried again.
 *
 * A dormant workspace is deleted a day after its owner was told.
 */
export function planAction(workspace: ScheduledWorkspace, now: number): ScheduleAction | undefined {
  const { build, isDormant, nextStartAt, rules } = workspace;
  if (build.job === "open") return undefined;
  const isRunning = build.transition === "start" && build.job === "succeeded";
  if (isRunning && isDormant) return { kind: "stop", reason: "dormancy" };
  if (
    !isDormant &&
    rules.dormancyMs !== undefined &&
    workspace.lastUsedAt + rules.dormancyMs <= now
  )
    return { kind: "sleep" };
  if (isRunning && build.deadline !== undefined && build.deadline <= now)
    return { kind: "stop", reason: "autostop" };
  if (failedBefore(build, rules.failureTtlMs, now)) return { kind: "stop", reason: "autostop" };
  const deletion = planDeletion(workspace, now);
  if (deletion !== undefined) return { kind: deletion };
  if (nextStartAt === undefined || nextStartAt > now) return undefined;
  const starts = !isRunning && !isDormant && workspace.ownerIsActive && rules.allowsAutostart;
  return { kind: starts ? "start" : "skip", nextStartAt: timeAfter(workspace.autostart, now) };
}

/** Decides whether a deletion is announced or carried out now. One that failed or was canceled is not tried again for a day. */
function planDeletion(
  { deletion, build }: ScheduledWorkspace,
  now: number,
): "announceDeletion" | "delete" | undefined {
  if (deletion === undefined) return undefined;
  const { transition, completedAt } = build;
  if (transition === "delete" && (completedAt ?? now) + lastDayMs > now) return undefined;
  if (!deletion.isAnnounced) {
    return deletion.at - lastDayMs <= now ? "announceDeletion" : undefined;
  }
  return deletion.at <= now ? "delete" : undefined;
}

/** Returns whether a start failed at least `ttlMs` ago; false without a time. */
function failedBefore(
  { transition, job, completedAt }: ScheduledWorkspace["build"],
  ttlMs: number | undefined,
  now: number,
): boolean {
  if (transition !== "start" || job !== "failed") return false;
  return ttlMs !== undefined && completedAt !== undefined && completedAt + ttlMs <= now;
}

function timeAfter(autostart: string | undefined, now: number): number | undefined {
  const parsed = autostart === undefined ? undefined : parseAutostart(autostart);
  // It was validated when it was set; a runtime that no longer knows the time zone ends the schedule.
  return parsed === undefined || "problem" in parsed ? undefined : parsed.schedule.nextAfter(now);
}
