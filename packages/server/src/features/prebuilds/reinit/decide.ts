import type { ReinitView } from "./view.ts";

/** One request of an agent, as far as it decides about the answer. */
export interface ReinitStream {
  /** The row that its token belonged to when it was opened. */
  readonly agentId: string;
  /** Whether a claim was under way by then: whoever asks may be a process that was started meanwhile. */
  readonly wasClaiming: boolean;
  /** Whether the agent knows an event that it had before, and takes a refusal for an answer. */
  readonly waits: boolean;
  /** For how long it has been open, in milliseconds. */
  readonly ageMs: number;
}

export type ReinitDecision =
  /** Nothing now; a hint may change that. */
  | { readonly type: "wait" }
  /** Nothing for this long, unless a hint comes. */
  | { readonly type: "wait-for"; readonly ms: number }
  | { readonly type: "send"; readonly agentId: string; readonly ownerId: string }
  /** No reinit is owed, and none can become owed: 409. */
  | { readonly type: "refuse" }
  | { readonly type: "end" };

/** A row is told at most once in this time, so that an agent that does not know repetitions starts over once. */
export const repeatMs = 60_000;
/** A process that begins its life connected reports `starting` within this time, if it runs start scripts at all. */
export const settledMs = 5_000;
/** The same for one that cannot connect. */
export const unconnectedMs = 15_000;

/**
 * What an agent is answered (docs/claims.md; docs/protocol/prebuilds.md §3.4 and §6). A view of the state: nothing that was
 * lost, came twice or came late changes more than when it is said.
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
  // What asked before there was the claim is the process that ran before it.
  if (stream.agentId !== agentId && !stream.wasClaiming) return { type: "send", agentId, ownerId };
  const left = untilSettled(view, stream);
  return left > 0 ? { type: "wait-for", ms: left } : { type: "send", agentId, ownerId };
}

/**
 * How much longer a process that may be new can take to begin its life, in milliseconds: from when both it and the row are
 * there, and its present session or the lack of one has lasted.
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
