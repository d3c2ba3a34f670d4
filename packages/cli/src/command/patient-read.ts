import { type Clock, retry } from "@slipway/runtime";
import { ApiError, ConnectError } from "@slipway/sdk/http";

import type { Terminal } from "../terminal/terminal.ts";
import { mayHaveArrived } from "./broken-connection.ts";
import type { ClientNeeds } from "./client-needs.ts";
import { LossNotice } from "./loss-notice.ts";

/** The statuses of a server, or of the proxy before it, that stops or starts. */
const awayStatuses: ReadonlySet<number> = new Set([502, 503, 504]);

/** The needs of a read that waits. */
export type PatientNeeds = Pick<ClientNeeds, "terminal" | "clock" | "signal">;

/**
 * Reads from the server something that a command needs around a wait. Waits, with a notice, for a server that restarts
 * meanwhile, as those who follow a log do.
 */
export async function readPatiently<T>(
  read: () => Promise<T>,
  needs: PatientNeeds,
  notice?: LossNotice,
): Promise<T> {
  return tryUntilBack(read, needs, isAway, notice);
}

/** Sends a request that must not be repeated once it may have arrived; waits for a server that no connection reaches. */
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
