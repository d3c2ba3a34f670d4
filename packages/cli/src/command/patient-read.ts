import type { Route } from "@slipway/api/contract/route";
import { type Clock, retry } from "@slipway/runtime";
import { ApiError, ConnectError } from "@slipway/sdk/http";
import type { FollowOptions } from "@slipway/sdk/stream";

import type { Output } from "../terminal/output.ts";
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
  notice: LossNotice = new LossNotice(terminal.err, clock),
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

type NoticeOutput = Pick<Output, "line" | "colors" | "isTerminal">;
type LogReports = Required<
  Pick<FollowOptions<Route>, "onReconnect" | "onWithoutSocket" | "onSlow">
>;

/** Several streams of one server break together; that is one loss. */
const togetherMs = 2_000;

/**
 * Reports "connection lost" once per loss, however many streams broke and however often they tried to reconnect; and once what
 * keeps a stream from opening.
 */
export class LossNotice {
  readonly #output: NoticeOutput;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #lines: Pick<NoticeOutput, "line">;
  readonly #said = new Set<string>();
  readonly #lost = new Set<string>();
  #saidMs = Number.NEGATIVE_INFINITY;

  /** Writes the lines through the progress that is shown on the output, if there is one. */
  constructor(
    output: NoticeOutput,
    clock: Pick<Clock, "monotonic">,
    lines: Pick<NoticeOutput, "line"> = output,
  ) {
    this.#output = output;
    this.#clock = clock;
    this.#lines = lines;
  }

  /** Returns the reports of a log that is followed. */
  ofLog(stream: string): LogReports {
    return {
      onReconnect: (error) => this.lost(stream, error),
      onWithoutSocket: () => {
        this.#sayOnce(
          "cannot open a WebSocket, perhaps because of a proxy that does not forward them; the log arrives with delays",
        );
      },
      onSlow: () => {
        if (this.#output.isTerminal) this.#sayOnce("waiting for the server to open a WebSocket…");
      },
    };
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

  #sayOnce(text: string): void {
    if (this.#said.has(text)) return;
    this.#said.add(text);
    this.#say(text);
  }

  #say(text: string): void {
    this.#lines.line(this.#output.colors.yellow(text));
  }
}
