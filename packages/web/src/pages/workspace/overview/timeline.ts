import type { BuildTimings } from "@slipway/api/builds/timings";

/** A part of a start with its place in the whole, in milliseconds from the beginning of the first. */
export interface TimelineBar {
  readonly key: string;
  readonly label: string;
  /** The part of the start: the build of the machine or a step of it, the first connection, or a script. */
  readonly kind: "build" | "step" | "connect" | "script";
  readonly startMs: number;
  readonly lengthMs: number;
  readonly hasFailed: boolean;
}

interface Timeline {
  readonly bars: readonly TimelineBar[];
  readonly totalMs: number;
  /** The number of shorter steps that were left out. */
  readonly hiddenSteps: number;
}

const stageNames = {
  init: "Initialize",
  plan: "Plan",
  graph: "Read resources",
  apply: "Apply",
} as const;

/**
 * Returns the parts of a start for one agent, in the order in which they began, with the `maxSteps` longest steps of the build.
 * Scripts that ran again because the agent started over are left out.
 */
export function startTimeline(timings: BuildTimings, agentId: string, maxSteps: number): Timeline {
  const { agent_connection_timings, agent_script_timings } = timings;
  const build = timings.provisioner_timings
    // What provisioners do is within the creation of their resource.
    .filter(({ action }) => action !== "provision")
    .map(buildSpan);
  const steps = build.filter(({ kind }) => kind === "step");
  const shown = new Set(steps.toSorted((a, b) => lengthOf(b) - lengthOf(a)).slice(0, maxSteps));
  const spans = [
    ...build.filter((span) => span.kind === "build" || shown.has(span)),
    ...agent_connection_timings
      .filter(({ workspace_agent_id: id }) => id === agentId)
      .map(({ started_at, ended_at }) => ({
        label: "Agent connects",
        kind: "connect" as const,
        started_at,
        ended_at,
        hasFailed: false,
      })),
    ...agent_script_timings
      .filter(({ workspace_agent_id: id, stage }) => id === agentId && stage === "start")
      .map(({ display_name: label, started_at, ended_at, status }) => ({
        label,
        kind: "script" as const,
        started_at,
        ended_at,
        hasFailed: status !== "ok",
      })),
  ]
    .toSorted((a, b) => Date.parse(a.started_at) - Date.parse(b.started_at))
    .filter(({ label, kind, started_at: startedAt }, index, all) => {
      if (kind !== "script") return true;
      const isSame = (other: (typeof all)[number]): boolean =>
        other.kind === kind && other.label === label;
      const hasRun = all
        .slice(0, index)
        .some((other) => isSame(other) && Date.parse(other.ended_at) <= Date.parse(startedAt));
      return !hasRun;
    });
  const originMs = Date.parse(spans[0]?.started_at ?? "");
  const bars = spans.map(({ label, kind, started_at, ended_at, hasFailed }, index) => ({
    key: `${index} ${label}`,
    label,
    kind,
    startMs: Date.parse(started_at) - originMs,
    lengthMs: lengthOf({ started_at, ended_at }),
    hasFailed,
  }));
  return {
    bars,
    totalMs: Math.max(0, ...bars.map(({ startMs, lengthMs }) => startMs + lengthMs)),
    hiddenSteps: steps.length - shown.size,
  };
}

/** A part of a start, with its times as the API gives them. */
interface Span extends Pick<TimelineBar, "label" | "kind" | "hasFailed"> {
  readonly started_at: string;
  readonly ended_at: string;
}

/** Returns a stage, a step of one, or the whole work of a driver that does not measure its stages. */
function buildSpan(timing: BuildTimings["provisioner_timings"][number]): Span {
  const { stage, source, action, resource, started_at, ended_at } = timing;
  const times = { started_at, ended_at, hasFailed: false };
  if (resource === `coder_stage_${stage}`)
    return { label: stageNames[stage], kind: "build", ...times };
  if (source === "slipway") return { label: `Create ${resource}`, kind: "build", ...times };
  const isUsual = action === "create" || action === "read";
  return { label: isUsual ? resource : `${resource} (${action})`, kind: "step", ...times };
}

function lengthOf({ started_at, ended_at }: Pick<Span, "started_at" | "ended_at">): number {
  return Math.max(0, Date.parse(ended_at) - Date.parse(started_at));
}
