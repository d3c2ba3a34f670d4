import type { BuildTimings } from "@slipway/api/builds/timings";

/** A part of a start with its place in the whole, in milliseconds from the beginning of the first. */
export interface TimelineBar {
  readonly key: string;
  readonly label: string;
  /** The part of the start: the build of the machine, the first connection, or a script. */
  readonly kind: "build" | "connect" | "script";
  readonly startMs: number;
  readonly lengthMs: number;
  readonly hasFailed: boolean;
}

interface Timeline {
  readonly bars: readonly TimelineBar[];
  readonly totalMs: number;
}

const stageNames = { init: "Prepare", plan: "Plan", graph: "Resolve", apply: "Create" } as const;

/**
 * Returns the parts of a start for one agent, in the order in which they began. Scripts that ran again because the agent
 * started over are left out.
 */
export function startTimeline(timings: BuildTimings, agentId: string): Timeline {
  const { provisioner_timings, agent_connection_timings, agent_script_timings } = timings;
  const spans = [
    ...provisioner_timings.map(({ stage, resource, started_at, ended_at }) => ({
      label: resource === "" ? stageNames[stage] : `${stageNames[stage]} ${resource}`,
      kind: "build" as const,
      started_at,
      ended_at,
      hasFailed: false,
    })),
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
      const isSame = (other: (typeof all)[number]): boolean =>
        other.kind === kind && other.label === label;
      const hasRun = all
        .slice(0, index)
        .some((other) => isSame(other) && Date.parse(other.ended_at) <= Date.parse(startedAt));
      return kind !== "script" || !hasRun;
    });
  const originMs = Date.parse(spans[0]?.started_at ?? "");
  const bars = spans.map(({ label, kind, started_at, ended_at, hasFailed }, index) => ({
    key: `${index} ${label}`,
    label,
    kind,
    startMs: Date.parse(started_at) - originMs,
    lengthMs: Math.max(0, Date.parse(ended_at) - Date.parse(started_at)),
    hasFailed,
  }));
  return { bars, totalMs: Math.max(0, ...bars.map(({ startMs, lengthMs }) => startMs + lengthMs)) };
}
