import { type Clock, withDeadline } from "@slipway/runtime";

/** The time for a peer to answer (docs/protocol/agent.md §5.3). */
const answerMs = 5_000;
/** The number of peers to ask; if there are more, the first stand for all. */
const maxAsked = 64;

interface MedianLatencyNeeds<Peer> {
  /** Resolves to the round trip to a peer, in milliseconds. */
  readonly ping: (peer: Peer, signal: AbortSignal) => Promise<number>;
  readonly clock: Pick<Clock, "sleep">;
  readonly signal: AbortSignal;
}

/**
 * Pings peers concurrently and returns the median round trip of those that answer in time, in milliseconds; undefined
 * if none does. Throws the signal's reason.
 */
export async function medianLatency<Peer>(
  peers: readonly Peer[],
  { ping, clock, signal }: MedianLatencyNeeds<Peer>,
): Promise<number | undefined> {
  const asked = peers
    .slice(0, maxAsked)
    .map((peer) =>
      withDeadline(answerMs, clock, (limit) => ping(peer, AbortSignal.any([signal, limit]))),
    );
  const answers = await Promise.allSettled(asked);
  signal.throwIfAborted();
  const latencies = answers.flatMap((answer) =>
    answer.status === "fulfilled" ? [answer.value] : [],
  );
  return median(latencies);
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted.at((sorted.length - 1) / 2), sorted.at(sorted.length / 2)];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}
