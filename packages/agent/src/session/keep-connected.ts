import { Backoff, defaultBackoff, errorText } from "@slipway/runtime";
import type { Clock, Logger } from "@slipway/runtime";
import { DialError } from "@slipway/sdk/agent";
import type { AgentConnection, Rung } from "@slipway/sdk/agent";

import type { LadderLog } from "./ladder-log.ts";

/** Opens a connection; throws `DialError`. */
export type Dial = (signal: AbortSignal) => Promise<AgentConnection>;

export interface KeepConnectedOptions {
  readonly dial: Dial;
  /** Works on one connection until that is lost, which it tells by rejecting. `onUsable` says that the server answers. */
  readonly serve: (
    connection: AgentConnection,
    onUsable: () => void,
    signal: AbortSignal,
  ) => Promise<void>;
  readonly ladder: LadderLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

/** A connection that lived this long was stable, so that the delays start anew. */
const stableMs = 30_000;
/** So was one that lived this many times as long as the delay that would follow. */
const stableRatio = 10;

/** A server that was there a moment ago is mostly back in a moment: how long to hope so, and how often to look. */
const restartMs = 30_000;
const restartDelayMs = 2_000;

/** Connects, serves, and connects again, until the signal is aborted. */
export async function keepConnected(
  options: KeepConnectedOptions,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random } = options;
  const backoff = new Backoff(defaultBackoff, random);
  let lostAtMs = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    const livedMs = await connectOnce(options, signal);
    if (signal.aborted) return;
    let delayMs = backoff.next();
    if (livedMs >= Math.min(stableMs, delayMs * stableRatio)) {
      backoff.reset();
      delayMs = backoff.next();
      lostAtMs = clock.monotonic();
    }
    if (clock.monotonic() - lostAtMs < restartMs) delayMs = Math.min(delayMs, restartDelayMs);
    // Only the signal ends the sleep early, and then the loop.
    await clock.sleep(delayMs, signal).catch(() => undefined);
  }
}

/** How long the connection was usable, in milliseconds. */
async function connectOnce(
  { dial, serve, ladder, clock, logger }: KeepConnectedOptions,
  signal: AbortSignal,
): Promise<number> {
  let usableAtMs: number | undefined;
  const onUsable = (): void => {
    usableAtMs = clock.monotonic();
    ladder.connected();
    logger.info({}, "connected");
  };
  try {
    await using connection = await dial(signal);
    logger.debug({ apiVersion: connection.apiVersion }, "session opened");
    await serve(connection, onUsable, signal);
  } catch (error) {
    if (signal.aborted) return 0;
    if (usableAtMs === undefined) ladder.failed(rungOf(error), errorText(error));
    else logger.warn({ error: errorText(error) }, "connection lost");
  }
  return usableAtMs === undefined ? 0 : clock.monotonic() - usableAtMs;
}

function rungOf(error: unknown): Rung {
  return error instanceof DialError ? error.rung : "rpc";
}
