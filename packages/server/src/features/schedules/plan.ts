import type { Transition } from "@slipway/api/builds/resource";

import { type DormantDeletion, lastDayMs } from "../workspaces/dormant-deletion.ts";
import { parseAutostart } from "../workspaces/schedule.ts";

/** The schedules of a workspace and the rules of its template. Times are milliseconds since the epoch; undefined: none. */
export interface ScheduledWorkspace {
  readonly id: string;
  readonly ownerIsActive: boolean;
  readonly isDormant: boolean;
  /** The deletion that its template requires while it is dormant. */
  readonly deletion: DormantDeletion | undefined;
  /** The last use, or the creation. */
  readonly lastUsedAt: number;
  /** The autostart schedule, `CRON_TZ=…` and five fields. */
  readonly autostart: string | undefined;
  /** The next scheduled start that was not handled yet; one in the past is due or was missed. */
  readonly nextStartAt: number | undefined;
  /** The time after which the workspace is deleted, in milliseconds; undefined if it is only stopped then. */
  readonly deletionTtlMs: number | undefined;
  readonly rules: {
    /** False if owners may not schedule starts; existing schedules are skipped. */
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
    /** The time at which the workspace is stopped or deleted. */
    readonly deadline: number | undefined;
    /** The time at which its template requires a stop, which is the latest deadline. */
    readonly maxDeadline: number | undefined;
  };
}

/** The action due for a workspace now. `nextStartAt` follows the handled time. */
export type ScheduleAction =
  | { readonly kind: "sleep" }
  | { readonly kind: "announceDeletion" }
  | { readonly kind: "delete"; readonly reason: "autostop" | "dormancy" }
  | { readonly kind: "stop"; readonly reason: "autostop" | "dormancy" }
  | { readonly kind: "start"; readonly nextStartAt: number | undefined }
  | { readonly kind: "skip"; readonly nextStartAt: number | undefined };

/**
 * Decides the action due at `now`. One start makes up for all missed times of a schedule. An unused workspace is first
 * made dormant, and stopped by the next pass. A failed start may have left resources, so it is stopped once; a failed stop
 * is not retried.
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
  if (hasExpired(workspace, now)) return { kind: "delete", reason: "autostop" };
  if (isRunning && build.deadline !== undefined && build.deadline <= now)
    return { kind: "stop", reason: "autostop" };
  if (failedBefore(build, rules.failureTtlMs, now)) return { kind: "stop", reason: "autostop" };
  const deletion = planDeletion(workspace, now);
  if (deletion === "delete") return { kind: "delete", reason: "dormancy" };
  if (deletion !== undefined) return { kind: deletion };
  if (nextStartAt === undefined || nextStartAt > now) return undefined;
  const starts = !isRunning && !isDormant && workspace.ownerIsActive && rules.allowsAutostart;
  return { kind: starts ? "start" : "skip", nextStartAt: timeAfter(workspace.autostart, now) };
}

/**
 * Returns whether a workspace is to be deleted: at its deadline, which is its own and not that of its template, or if it
 * is not running, as long after its last build as it may run. A failed deletion is retried after that time, too.
 */
function hasExpired({ build, deletionTtlMs }: ScheduledWorkspace, now: number): boolean {
  if (deletionTtlMs === undefined) return false;
  const { transition, job, deadline, maxDeadline, completedAt } = build;
  if (transition === "start" && job === "succeeded") {
    return deadline !== undefined && deadline !== maxDeadline && deadline <= now;
  }
  return completedAt !== undefined && completedAt + deletionTtlMs <= now;
}

/** Decides whether a deletion is announced or carried out now. A failed or canceled one is retried after a day. */
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

/** Returns the earliest time at which an action is due if nothing changes; Infinity: never. */
export function nextActionAt(workspace: ScheduledWorkspace): number {
  const { build, isDormant, deletionTtlMs, nextStartAt, rules } = workspace;
  if (build.job === "open") return Infinity;
  const isRunning = build.transition === "start" && build.job === "succeeded";
  if (isRunning && isDormant) return -Infinity;
  const after = (time: number | undefined, ms: number | undefined): number =>
    time === undefined || ms === undefined ? Infinity : time + ms;
  const hasFailed = build.transition === "start" && build.job === "failed";
  return Math.min(
    isDormant ? Infinity : after(workspace.lastUsedAt, rules.dormancyMs),
    isRunning ? (build.deadline ?? Infinity) : after(build.completedAt, deletionTtlMs),
    hasFailed ? after(build.completedAt, rules.failureTtlMs) : Infinity,
    deletionStepAt(workspace),
    nextStartAt ?? Infinity,
  );
}

/** Returns the time at which `planDeletion` has something to do; Infinity: never. */
function deletionStepAt({ deletion, build }: ScheduledWorkspace): number {
  if (deletion === undefined) return Infinity;
  const stepAt = deletion.isAnnounced ? deletion.at : deletion.at - lastDayMs;
  if (build.transition !== "delete") return stepAt;
  return Math.max(stepAt, (build.completedAt ?? Infinity) + lastDayMs);
}

/** Returns whether a start failed at least `ttlMs` ago; false if undefined. */
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
