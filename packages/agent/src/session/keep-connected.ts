import {
  abortable,
  Backoff,
  type Clock,
  defaultBackoff,
  errorText,
  type Logger,
} from "@slipway/runtime";
import { type AgentConnection, DialError, IdentityError, type Rung } from "@slipway/sdk/agent";

import type { ConnectLog } from "./connect-log.ts";
import type { Redial } from "./redial.ts";

/** Opens a connection; throws `DialError`, or `IdentityError` where the agent gets no token to open one with. */
export type Dial = (signal: AbortSignal) => Promise<AgentConnection>;

export interface KeepConnectedOptions {
  readonly dial: Dial;
  /** Works on one connection until it is lost, and rejects then. `onUsable` reports that the server answers. */
  readonly serve: (
    connection: AgentConnection,
    onUsable: () => void,
    signal: AbortSignal,
  ) => Promise<void>;
  /** Runs before the next dial after a refusal because the workspace is stopped. */
  readonly onStopped: () => Promise<void>;
  /** Ends the present connection, dial or delay on request. */
  readonly redial: Redial;
  readonly connectLog: ConnectLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

/** The lifetime of a connection that counts as stable, so that the delays start over. */
const stableMs = 30_000;
/** The multiple of the delay that would follow which counts as stable too. */
const stableRatio = 10;

/** A server that was just there is mostly back in a moment: the time to hope so, and the interval at which to look. */
const restartMs = 30_000;
const restartDelayMs = 2_000;
/** The time between two questions whether a stopped workspace has started, at most; it may stay stopped for long. */
const stoppedDelayMs = 10_000;

/** Connects, serves, and connects again, until the signal is aborted. */
export async function keepConnected(
  options: KeepConnectedOptions,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, redial } = options;
  const backoff = new Backoff(defaultBackoff, random);
  let lostAtMs = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    const asked = redial.signal;
    const either = AbortSignal.any([signal, asked]);
    const { livedMs, isStopped } = await connectOnce(options, { asked, either });
    if (isStopped) await options.onStopped();
    if (signal.aborted) return;
    if (asked.aborted) continue;
    let delayMs = backoff.next();
    if (livedMs >= Math.min(stableMs, delayMs * stableRatio)) {
      backoff.reset();
      delayMs = backoff.next();
      lostAtMs = clock.monotonic();
    }
    if (clock.monotonic() - lostAtMs < restartMs) delayMs = Math.min(delayMs, restartDelayMs);
    if (isStopped) delayMs = Math.min(delayMs, stoppedDelayMs);
    // Only the signals end the sleep early: one ends the loop, the other this iteration.
    await clock.sleep(delayMs, either).catch(() => undefined);
  }
}

/** The end of a connection. */
interface Ended {
  /** The time that it was usable, in milliseconds. */
  readonly livedMs: number;
  /** True if the server refused it because the workspace is stopped. */
  readonly isStopped: boolean;
}

/** Connects once. */
async function connectOnce(
  { dial, serve, connectLog, clock, logger }: KeepConnectedOptions,
  { asked, either }: { readonly asked: AbortSignal; readonly either: AbortSignal },
): Promise<Ended> {
  let usableAtMs: number | undefined;
  let isStopped = false;
  const onUsable = (): void => {
    usableAtMs = clock.monotonic();
    connectLog.connected();
    logger.info({}, "connected");
  };
  let connection: AgentConnection | undefined;
  try {
    connection = await dial(either);
    logger.debug({ apiVersion: connection.apiVersion }, "session opened");
    await serve(connection, onUsable, either);
  } catch (error) {
    isStopped = error instanceof DialError && error.isOfStopped;
    if (either.aborted) logger.debug({}, "connection ended by this side");
    else if (isStopped) connectLog.stopped();
    else if (usableAtMs === undefined) connectLog.failed(rungOf(error), errorText(error));
    else logger.warn({ error: errorText(error) }, "connection lost");
  } finally {
    // A peer that does not answer the goodbye must not hold up a request for an immediate redial.
    if (connection !== undefined) await abortable(connection.close(), asked).catch(() => undefined);
  }
  const livedMs = usableAtMs === undefined ? 0 : clock.monotonic() - usableAtMs;
  return { livedMs, isStopped };
}

function rungOf(error: unknown): Rung {
  if (error instanceof DialError) return error.rung;
  return error instanceof IdentityError ? "identity" : "rpc";
}
