import type { BuildStatus } from "@slipway/api/builds/build";
import type { Template } from "@slipway/api/templates/template";
import { cronText } from "@slipway/api/workspaces/cron-text";
import type { Workspace } from "@slipway/api/workspaces/workspace";

import { duration } from "../../../ui/time-text.ts";

/** A sentence of the plan; `at` is a point in time that stands at its end. */
export interface PlanReason {
  readonly text: string;
  readonly at?: string;
}

/** The next automatic stop or start of a workspace, and the reason for it. */
export interface StopPlan {
  readonly headline: PlanReason;
  readonly reasons: readonly PlanReason[];
  /** The reason for which its deadline cannot be moved; undefined if it can. */
  readonly extendRefusal: string | undefined;
}

type Subject = Pick<
  Workspace,
  | "ttl_ms"
  | "on_deadline"
  | "autostart_schedule"
  | "next_start_at"
  | "last_used_at"
  | "dormant_at"
  | "deleting_at"
> & {
  readonly latest_build: Pick<Workspace["latest_build"], "status" | "deadline" | "max_deadline"> & {
    readonly job: Pick<Workspace["latest_build"]["job"], "completed_at">;
  };
};

type Rules = Pick<Template, "activity_bump_ms" | "default_ttl_ms" | "time_til_dormant_ms">;

/** The difference that counts as a deadline that was moved: less is the time between two clocks. */
const movedMs = 60_000;

/** The states of a workspace that does not run, in sentences. */
const standingTexts: Readonly<Record<Exclude<BuildStatus, "running">, string>> = {
  pending: "Its build is waiting.",
  starting: "It is starting.",
  stopping: "It is stopping.",
  stopped: "It is stopped.",
  deleting: "It is being deleted.",
  deleted: "It is deleted.",
  canceling: "Its build is being canceled.",
  canceled: "Its last build was canceled.",
  failed: "Its last build failed.",
};

/** Explains why a workspace still runs and when that ends, or when it starts. `rules` are those of its template. */
export function stopPlan(workspace: Subject, rules: Rules | undefined): StopPlan {
  const { latest_build: build } = workspace;
  if (build.status !== "running") {
    return {
      headline: { text: standingTexts[build.status] },
      reasons: [...startReasons(workspace), ...endReasons(workspace)],
      extendRefusal: "Only a running workspace has a deadline",
    };
  }
  if (build.deadline === null) {
    return {
      headline: { text: "It runs until someone stops it." },
      reasons: [
        {
          text:
            workspace.ttl_ms === null
              ? "No time limit is set."
              : `Its time to live of ${duration(workspace.ttl_ms)} applies from its next start.`,
        },
        ...maximumReasons(build.max_deadline),
        ...startReasons(workspace),
        ...dormancyReasons(workspace, rules),
      ],
      extendRefusal: "It has no deadline: give it a time to live, then restart it",
    };
  }
  return {
    headline: {
      text: workspace.on_deadline === "delete" ? "It is deleted" : "It stops",
      at: build.deadline,
    },
    reasons: [
      ...lifeReasons(workspace, rules),
      ...useReasons(workspace, rules),
      ...maximumReasons(build.max_deadline),
      ...startReasons(workspace),
    ],
    extendRefusal: undefined,
  };
}

/** Tells where the deadline comes from. */
function lifeReasons(
  { ttl_ms: own, latest_build: { deadline, max_deadline: maximum, job } }: Subject,
  rules: Rules | undefined,
): readonly PlanReason[] {
  const lengthMs = own ?? rules?.default_ttl_ms ?? 0;
  const startedMs = Date.parse(job.completed_at ?? "");
  if (lengthMs === 0 || Number.isNaN(startedMs) || deadline === null) return [];
  const firstMs = startedMs + lengthMs;
  const deadlineMs = Date.parse(deadline);
  const life = `Its time to live is ${duration(lengthMs)} from its start`;
  if (deadlineMs - firstMs > movedMs) {
    const text = `${life}. Activity or a person has postponed the deadline, which was first`;
    return [{ text, at: new Date(firstMs).toISOString() }];
  }
  if (firstMs - deadlineMs > movedMs && deadline !== maximum) {
    return [{ text: `${life}; someone has brought the deadline forward.` }];
  }
  return [{ text: `${life},`, at: new Date(startedMs).toISOString() }];
}

function useReasons(
  { last_used_at: usedAt }: Subject,
  rules: Rules | undefined,
): readonly PlanReason[] {
  const bumpMs = rules?.activity_bump_ms ?? 0;
  if (bumpMs === 0) return [{ text: "Activity does not postpone the deadline." }];
  const text = `While somebody is connected by SSH, a terminal, an editor or an app, it stays on for at least ${duration(bumpMs)} more. It was last used`;
  return [{ text, at: usedAt }];
}

function maximumReasons(maximum: string | null): readonly PlanReason[] {
  if (maximum === null) return [];
  return [{ text: "Its template requires it to stop, in use or not,", at: maximum }];
}

function startReasons({
  autostart_schedule: schedule,
  next_start_at: at,
}: Subject): readonly PlanReason[] {
  if (schedule === null) return [{ text: "It does not start automatically." }];
  const text = `It starts automatically at ${cronText(schedule)}`;
  return [at === null ? { text: `${text}.` } : { text: `${text}, next`, at }];
}

function dormancyReasons(
  { last_used_at: usedAt }: Subject,
  rules: Rules | undefined,
): readonly PlanReason[] {
  const lengthMs = rules?.time_til_dormant_ms ?? 0;
  if (lengthMs === 0) return [];
  const at = new Date(Date.parse(usedAt) + lengthMs).toISOString();
  return [{ text: "If nobody uses it, it becomes dormant", at }];
}

function endReasons({
  dormant_at: dormantAt,
  deleting_at: deletingAt,
}: Subject): readonly PlanReason[] {
  return [
    ...(dormantAt === null ? [] : [{ text: "It became dormant", at: dormantAt }]),
    ...(deletingAt === null ? [] : [{ text: "Unless it is used, it is deleted", at: deletingAt }]),
  ];
}
