import { type Clock, withDeadline } from "@slipway/runtime";

/** The way to an agent, as far as its loss is noticed by it. */
interface Reachable {
  /** Resolves when the agent answers. */
  ping(signal: AbortSignal): Promise<unknown>;
  /** Looks for other ways. */
  networkChanged(): void;
}

interface WatchOptions {
  /** Tells that the agent does not answer. */
  readonly say: () => void;
  /** Looks, while it does not answer, whether it ever can again: an error ends the watch. */
  readonly look: () => Promise<void>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** The time between two questions while the agent answers, and the time that it has for an answer. */
const askEveryMs = 10_000;
const answerMs = 5_000;
/** The questions in a row without an answer after which the connection counts as lost. */
const maxUnanswered = 2;

/**
 * Asks the agent now and then whether it is there, and tells once when it is not, each time anew after it was. Rejects with
 * the signal's reason, and as `look` does.
 */
export async function watchNetwork(
  network: Reachable,
  { say, look, clock, signal }: WatchOptions,
): Promise<void> {
  let unanswered = 0;
  for (;;) {
    if (unanswered === 0) await clock.sleep(askEveryMs, signal);
    unanswered = (await answers(network, clock, signal)) ? 0 : unanswered + 1;
    if (unanswered < maxUnanswered) continue;
    await look();
    if (unanswered > maxUnanswered) continue;
    say();
    network.networkChanged();
  }
}

async function answers(network: Reachable, clock: Clock, signal: AbortSignal): Promise<boolean> {
  const beganAt = clock.monotonic();
  try {
    await withDeadline(answerMs, clock, (limit) => network.ping(AbortSignal.any([signal, limit])));
    return true;
  } catch {
    signal.throwIfAborted();
    // Where there is no way at all, the answer comes at once.
    const restMs = answerMs - (clock.monotonic() - beganAt);
    if (restMs > 0) await clock.sleep(restMs, signal);
    return false;
  }
}
