/** The state that determines the answer to an agent, from one snapshot. Times are the database's, in milliseconds. */
export type ReinitView =
  /** The token is unknown, or its workspace was deleted. */
  | { readonly type: "gone" }
  | {
      readonly type: "live";
      /** The row that the token belongs to now; a claim moves it to another row. */
      readonly agentId: string;
      readonly workspaceId: string;
      readonly ownerId: string;
      /** `claiming`: it was claimed, and the claim's build has not succeeded yet, or has failed. */
      readonly standing: "never-a-prebuild" | "prebuild" | "claiming" | "claimed";
      /** True if the process of this row is older than the row, ran for another owner, and has not restarted yet. */
      readonly isOwed: boolean;
      /** The time when the row was created. */
      readonly createdAtMs: number;
      /** The start of the agent's open session as this row; undefined while none is open. */
      readonly connectedSinceMs: number | undefined;
      /** The end of the last session as this row; undefined while one is open, or if there was none. */
      readonly disconnectedAtMs: number | undefined;
      /** The time when the row was last notified. */
      readonly sentAtMs: number | undefined;
      /** True if the process was observed to end its previous lifecycle since then. */
      readonly wasReceived: boolean;
      readonly nowMs: number;
    };

/** One request of an agent, as far as it determines the answer. */
export interface ReinitStream {
  /** The row that its token belonged to when the request was opened. */
  readonly agentId: string;
  /** True if a claim was already in progress: the client may be a process that was started meanwhile. */
  readonly wasClaiming: boolean;
  /** True if the agent recognizes a repeated event and accepts a refusal. */
  readonly waits: boolean;
  /** The time that it has been open, in milliseconds. */
  readonly ageMs: number;
}

export type ReinitDecision =
  /** Send nothing now; a notification may change that. */
  | { readonly type: "wait" }
  /** Send nothing for this long, unless a notification comes. */
  | { readonly type: "wait-for"; readonly ms: number }
  | { readonly type: "send"; readonly agentId: string; readonly ownerId: string }
  /** Answer 409: no reinit is owed, and none can become owed. */
  | { readonly type: "refuse" }
  | { readonly type: "end" };

/** A row is notified at most once in this time, so that an agent that does not recognize repetitions restarts once. */
export const repeatMs = 60_000;
/** A process that starts up connected reports `starting` within this time, if it runs start scripts at all. */
export const settledMs = 5_000;
/** The same for a process that cannot connect. */
export const unconnectedMs = 15_000;

/**
 * Decides the answer to an agent (docs/claims.md; docs/protocol/prebuilds.md §3.4). It depends on the state
 * alone: a lost, duplicate or late notification changes only when it is sent.
 */
export function decideReinit(view: ReinitView, stream: ReinitStream): ReinitDecision {
  if (view.type === "gone") return { type: "end" };
  switch (view.standing) {
    case "prebuild":
    case "claiming":
      return { type: "wait" };
    case "never-a-prebuild":
      return stream.waits ? { type: "refuse" } : { type: "wait" };
    case "claimed":
      if (view.isOwed) return decideOwed(view, stream);
      return stream.waits ? { type: "refuse" } : { type: "wait" };
  }
}

function decideOwed(
  view: Extract<ReinitView, { type: "live" }>,
  stream: ReinitStream,
): ReinitDecision {
  const { agentId, ownerId, sentAtMs, wasReceived, nowMs } = view;
  if (wasReceived) return { type: "wait" };
  const untilRepeat = sentAtMs === undefined ? 0 : sentAtMs + repeatMs - nowMs;
  if (untilRepeat > 0) return { type: "wait-for", ms: untilRepeat };
  // A request from before the claim comes from the process that ran before it.
  if (stream.agentId !== agentId && !stream.wasClaiming) return { type: "send", agentId, ownerId };
  const left = untilSettled(view, stream);
  return left > 0 ? { type: "wait-for", ms: left } : { type: "send", agentId, ownerId };
}

/**
 * Returns how much longer a possibly new process may take to start up, in milliseconds: counted from when both it and
 * the row exist, and its present session, or the lack of one, has lasted.
 */
function untilSettled(
  { createdAtMs, connectedSinceMs, disconnectedAtMs, nowMs }: Extract<ReinitView, { type: "live" }>,
  { ageMs }: ReinitStream,
): number {
  const isConnected = connectedSinceMs !== undefined;
  const sinceMs = Math.max(
    nowMs - ageMs,
    createdAtMs,
    connectedSinceMs ?? disconnectedAtMs ?? createdAtMs,
  );
  return sinceMs + (isConnected ? settledMs : unconnectedMs) - nowMs;
}
