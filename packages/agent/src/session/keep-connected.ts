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

/** Opens a connection. Rejects with `DialError`, or with `IdentityError` if the agent cannot get a token. */
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
  /** Ends the current connection, dial or delay on request. */
  readonly redial: Redial;
  readonly connectLog: ConnectLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

/** The lifetime after which a connection counts as stable, which resets the delays. */
const stableMs = 30_000;
/** A connection that outlives this multiple of the next delay counts as stable too. */
const stableRatio = 10;

/**
 * After a stable connection the server is probably restarting: the time for which to expect it back, and the maximum
 * delay then.
 */
const restartMs = 30_000;
const restartDelayMs = 2_000;

/** Connects, serves and reconnects until the signal is aborted. */
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
    // The first signal ends the loop, the second this iteration.
    await clock.sleep(delayMs, either).catch(() => undefined);
  }
}

/** Requests a new connection immediately, regardless of the state of the current one. */
export class Redial {
  #asked = new AbortController();

  /** Aborted at the next request; each request has its own signal. */
  get signal(): AbortSignal {
    return this.#asked.signal;
  }

  now(): void {
    const asked = this.#asked;
    this.#asked = new AbortController();
    asked.abort(new DOMException("a new connection was requested", "AbortError"));
  }
}

/** The end of a connection. */
interface ConnectionEnd {
  /** The time for which it was usable, in milliseconds. */
  readonly livedMs: number;
  /** True if the server refused it because the workspace is stopped. */
  readonly isStopped: boolean;
}

/** Dials, and serves the connection until it ends. */
async function connectOnce(
  { dial, serve, connectLog, clock, logger }: KeepConnectedOptions,
  { asked, either }: { readonly asked: AbortSignal; readonly either: AbortSignal },
): Promise<ConnectionEnd> {
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
    // An unresponsive peer must not delay an immediate redial.
    if (connection !== undefined) await abortable(connection.close(), asked).catch(() => undefined);
  }
  const livedMs = usableAtMs === undefined ? 0 : clock.monotonic() - usableAtMs;
  return { livedMs, isStopped };
}

function rungOf(error: unknown): Rung {
  if (error instanceof DialError) return error.rung;
  return error instanceof IdentityError ? "identity" : "rpc";
}
