import type { Transition } from "@slipway/api";

import { parseAutostart } from "../workspaces/autostart-schedule.ts";

/** A workspace as far as its schedules need it. Times are milliseconds since the epoch; undefined: none. */
export interface ScheduledWorkspace {
  readonly id: string;
  readonly ownerIsActive: boolean;
  readonly isDormant: boolean;
  /** False if the template turns schedules of owners off; those that exist are kept, and passed over. */
  readonly mayAutostart: boolean;
  /** The autostart schedule, `CRON_TZ=…` and five fields. */
  readonly autostart: string | undefined;
  /** The next scheduled start that was not handled yet; one in the past was missed. */
  readonly nextStartAt: number | undefined;
  readonly build: {
    readonly transition: Transition;
    readonly job: "open" | "succeeded" | "failed";
    /** The time when the build stops by itself. */
    readonly deadline: number | undefined;
  };
}

/** The action due for a workspace now. `nextStartAt` follows the handled time. */
export type ScheduleAction =
  | { readonly kind: "stop"; readonly reason: "autostop" | "dormancy" }
  | { readonly kind: "start"; readonly nextStartAt: number | undefined }
  | { readonly kind: "skip"; readonly nextStartAt: number | undefined };

/**
 * Decides the action due at `now`. However many times of a schedule were missed, one start makes up for them; a time at
 * which the workspace is running or dormant, its owner suspended, or owners' schedules are off, is skipped. While a build is active nothing is
 * decided.
 */
export function planAction(workspace: ScheduledWorkspace, now: number): ScheduleAction | undefined {
  const { build, isDormant, nextStartAt } = workspace;
  if (build.job === "open") return undefined;
  const isRunning = build.transition === "start" && build.job === "succeeded";
  if (isRunning && isDormant) return { kind: "stop", reason: "dormancy" };
  if (isRunning && build.deadline !== undefined && build.deadline <= now)
    return { kind: "stop", reason: "autostop" };
  if (nextStartAt === undefined || nextStartAt > now) return undefined;
  const starts = !isRunning && !isDormant && workspace.ownerIsActive && workspace.mayAutostart;
  return { kind: starts ? "start" : "skip", nextStartAt: timeAfter(workspace.autostart, now) };
}

function timeAfter(autostart: string | undefined, now: number): number | undefined {
  const parsed = autostart === undefined ? undefined : parseAutostart(autostart);
  // It was validated when it was set; a runtime that no longer knows the time zone ends the schedule.
  return parsed === undefined || "problem" in parsed ? undefined : parsed.schedule.nextAfter(now);
}
