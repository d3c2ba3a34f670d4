import { Backoff, type Clock, defaultBackoff, errorText, type Logger } from "@slipway/runtime";
import type { ReinitAnswer, ReinitEvent } from "@slipway/sdk/agent";

/**
 * Asks the server once whether there is something to reinit for, and waits for its answer, perhaps for days. Rejects
 * only with the signal's reason.
 */
export type WaitForReinit = (signal: AbortSignal) => Promise<ReinitAnswer>;

export interface PollReinitOptions {
  readonly waitForReinit: WaitForReinit;
  /** Acts on an event; resolves to true if it changed anything, once that is known. */
  readonly onEvent: (event: ReinitEvent, signal: AbortSignal) => Promise<boolean>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/** After an event that changed nothing the next is not awaited eagerly: some servers send one on each request. */
const duplicateDelayMs = 30_000;
/** Streams that lived this long and then ended did so together, with their server or a proxy: the agents spread out. */
const settledMs = 1_000;
const spreadMs = 1_000;

/**
 * Waits for events, one request after the other, until the server says that none will come. It keeps nothing in mind: what
 * was done about an event is found in the manifest. Rejects with the signal's reason.
 */
export async function pollReinit(options: PollReinitOptions, signal: AbortSignal): Promise<void> {
  const { waitForReinit, clock, random } = options;
  const backoff = new Backoff(defaultBackoff, random);
  let problem: string | undefined;
  for (;;) {
    const askedAtMs = clock.monotonic();
    const answer = await waitForReinit(signal);
    signal.throwIfAborted();
    const livedMs = clock.monotonic() - askedAtMs;
    problem = logAnswer(answer, problem, options.logger);
    let delayMs: number;
    switch (answer.kind) {
      case "not-a-prebuild":
        return;
      case "event": {
        backoff.reset();
        const hasChanged = await options.onEvent(answer.event, signal);
        delayMs = hasChanged ? backoff.next() : duplicateDelayMs * (1 + random());
        break;
      }
      case "ended":
        if (livedMs < settledMs) delayMs = backoff.next();
        else {
          backoff.reset();
          delayMs = spreadMs * random();
        }
        break;
      case "unauthorized":
      case "failed":
        delayMs = backoff.next();
        break;
    }
    await clock.sleep(delayMs, signal);
  }
}

/** Logs what is new; the session's own connection reports an absent server. Returns what is wrong now. */
function logAnswer(
  answer: ReinitAnswer,
  before: string | undefined,
  logger: Logger,
): string | undefined {
  switch (answer.kind) {
    case "event":
      logger.info({ ...answer.event }, "server asks to reinit");
      return undefined;
    case "not-a-prebuild":
      logger.debug({ answer: answer.message }, "not a prebuild: no claim to wait for");
      return undefined;
    case "ended":
      logger.debug({}, "reinit stream ended");
      return undefined;
    case "unauthorized":
    case "failed": {
      const error = answer.kind === "failed" ? errorText(answer.error) : "token refused";
      if (error === before) logger.debug({ error }, "still no reinit stream");
      else logger.info({ error }, "no reinit stream");
      return error;
    }
  }
}
