import type { Transition } from "@slipway/api";

import { parseAutostart } from "../workspaces/autostart-schedule.ts";

/** A workspace as far as its schedules need it. Times are milliseconds since the epoch; undefined: there is none. */
export interface ScheduledWorkspace {
  readonly id: string;
  readonly ownerIsActive: boolean;
  readonly isDormant: boolean;
  /** When it starts by itself, `CRON_TZ=…` and five fields. */
  readonly autostart: string | undefined;
  /** The next such time that was not seen to yet; in the past, it was missed. */
  readonly nextStartAt: number | undefined;
  readonly build: {
    readonly transition: Transition;
    readonly job: "open" | "succeeded" | "failed";
    /** When it ends by itself. */
    readonly deadline: number | undefined;
  };
}

/** What is to be done to a workspace now. `nextStartAt` is what comes after the time that was seen to. */
export type ScheduleAction =
  | { readonly kind: "stop"; readonly reason: "autostop" | "dormancy" }
  | { readonly kind: "start"; readonly nextStartAt: number | undefined }
  | { readonly kind: "skip"; readonly nextStartAt: number | undefined };

/**
 * What is due at `now`. However many times of a schedule were missed, they are made up for by one start; a time that finds
 * the workspace running, dormant or its owner suspended has passed. While a build is under way nothing is decided.
 */
export function planAction(workspace: ScheduledWorkspace, now: number): ScheduleAction | undefined {
  const { build, isDormant, nextStartAt } = workspace;
  if (build.job === "open") return undefined;
  const isRunning = build.transition === "start" && build.job === "succeeded";
  if (isRunning && isDormant) return { kind: "stop", reason: "dormancy" };
  if (isRunning && build.deadline !== undefined && build.deadline <= now)
    return { kind: "stop", reason: "autostop" };
  if (nextStartAt === undefined || nextStartAt > now) return undefined;
  const starts = !isRunning && !isDormant && workspace.ownerIsActive;
  return { kind: starts ? "start" : "skip", nextStartAt: timeAfter(workspace.autostart, now) };
}

function timeAfter(autostart: string | undefined, now: number): number | undefined {
  const parsed = autostart === undefined ? undefined : parseAutostart(autostart);
  // It was checked when it was set; a runtime that knows the time zone no more ends the schedule.
  return parsed === undefined || "problem" in parsed ? undefined : parsed.schedule.nextAfter(now);
}
