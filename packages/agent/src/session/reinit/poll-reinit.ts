import { Backoff, type Clock, defaultBackoff, errorText, type Logger } from "@slipway/runtime";
import type { ReinitAnswer, ReinitEvent } from "@slipway/sdk/agent";

/** Asks the server once for a reinit, and waits for the answer, perhaps for days. Rejects only with the signal's reason. */
export type WaitForReinit = (signal: AbortSignal) => Promise<ReinitAnswer>;

export interface PollReinitOptions {
  readonly waitForReinit: WaitForReinit;
  /** Acts on an event. Resolves to true if it changed anything. */
  readonly onEvent: (event: ReinitEvent, signal: AbortSignal) => Promise<boolean>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/** The delay after an event that changed nothing: some servers send one for each request. */
const duplicateDelayMs = 30_000;
/** Streams older than this end together, with their server or a proxy, so the agents spread their requests. */
const settledMs = 1_000;
const spreadMs = 1_000;

/**
 * Polls for events until the server answers that there will be none. It keeps no state: the manifest shows the
 * effects of earlier events. Rejects with the signal's reason.
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

/** Logs a new problem; the session's connection reports an absent server. Returns the current problem. */
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
      if (error === before) logger.debug({ error }, "still cannot open the reinit stream");
      else logger.info({ error }, "cannot open the reinit stream");
      return error;
    }
  }
}
