import { type Clock, retry } from "@slipway/runtime";
import { ApiError, ConnectError } from "@slipway/sdk/http";

import type { Terminal } from "../terminal/terminal.ts";
import type { ClientNeeds } from "./needs.ts";

/** The statuses of a server, or of the proxy in front of it, that is stopping or starting. */
const awayStatuses: ReadonlySet<number> = new Set([502, 503, 504]);

/** The needs of a read that waits for the server. */
export type PatientNeeds = Pick<ClientNeeds, "terminal" | "clock" | "signal">;

/**
 * Reads from the server around a wait. If the server restarts meanwhile, waits for it with a notice, like commands
 * that follow a log.
 */
export async function readPatiently<T>(
  read: () => Promise<T>,
  needs: PatientNeeds,
  notice?: LossNotice,
): Promise<T> {
  return tryUntilBack(read, needs, isAway, notice);
}

/** Sends a request that must not be repeated once it may have arrived; waits for a server that is unreachable. */
export async function sendPatiently<T>(send: () => Promise<T>, needs: PatientNeeds): Promise<T> {
  return tryUntilBack(
    send,
    needs,
    (error) => error instanceof ConnectError && !mayHaveArrived(error),
  );
}

async function tryUntilBack<T>(
  attempt: () => Promise<T>,
  { terminal, clock, signal }: PatientNeeds,
  mayRetry: (error: unknown) => boolean,
  notice: LossNotice = lossNotice(terminal, clock),
): Promise<T> {
  return retry(attempt, {
    clock,
    signal,
    isRetryable: (error) => {
      if (!mayRetry(error)) return false;
      notice.lost("server", error);
      return true;
    },
  });
}

function lossNotice({ err }: Terminal, clock: Clock): LossNotice {
  return new LossNotice((text) => err.line(err.colors.yellow(text)), clock);
}

function isAway(error: unknown): boolean {
  if (error instanceof ApiError) return awayStatuses.has(error.status);
  return error instanceof ConnectError;
}

/** The codes of Node.js for a connection that broke after it was established. */
const brokenCodes: ReadonlySet<unknown> = new Set(["ECONNRESET", "EPIPE"]);

/** Reports whether a request may have reached the server, which may carry it out, although it got no answer. */
export function mayHaveArrived(error: unknown): error is ConnectError {
  if (!(error instanceof ConnectError) || !(error.cause instanceof Error)) return false;
  const { cause } = error;
  return cause.name === "TimeoutError" || brokenCodes.has(Reflect.get(cause, "code"));
}

/** Several streams of one server break together; that is one loss. */
const togetherMs = 2_000;

/** Reports "connection lost" once per loss, however many streams broke and however often they tried to reconnect. */
export class LossNotice {
  readonly #say: (text: string) => void;
  readonly #clock: Clock;
  readonly #lost = new Set<string>();
  #saidMs = Number.NEGATIVE_INFINITY;

  constructor(say: (text: string) => void, clock: Clock) {
    this.#say = say;
    this.#clock = clock;
  }

  /** Reports that a stream was lost, or could not be reopened. */
  lost(stream: string, error: unknown): void {
    const isAttempt = error instanceof ConnectError || error instanceof ApiError;
    const isKnown = isAttempt && this.#lost.has(stream);
    this.#lost.add(stream);
    if (isKnown || this.#clock.monotonic() - this.#saidMs < togetherMs) return;
    this.#saidMs = this.#clock.monotonic();
    this.#say("connection lost, reconnecting…");
  }

  /** Reports that something arrived: the stream is back. */
  arrived(stream: string): void {
    this.#lost.delete(stream);
  }
}
