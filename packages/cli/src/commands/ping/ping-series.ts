import { type Clock, errorText, withDeadline } from "@slipway/runtime";
import type { Pong } from "@slipway/sdk/workspace";

/** The result of one ping. */
export type PingResult =
  | { readonly kind: "pong"; readonly pong: Pong }
  | { readonly kind: "failure"; readonly reason: string };

export interface PingPlan {
  /** Undefined for no end. */
  readonly count: number | undefined;
  readonly waitMs: number;
  readonly timeoutMs: number;
}

interface Pingable {
  ping(signal: AbortSignal): Promise<Pong>;
}

interface SeriesNeeds {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onResult: (result: PingResult) => void;
}

/** Pings one after the other; resolves at the end of the plan, or quietly when the signal is aborted. */
export async function pingSeries(
  connection: Pingable,
  { count = Infinity, waitMs, timeoutMs }: PingPlan,
  { clock, signal, onResult }: SeriesNeeds,
): Promise<void> {
  for (let number = 1; number <= count && !signal.aborted; number += 1) {
    const startedAt = clock.monotonic();
    const result = await pingOnce(connection, timeoutMs, { clock, signal });
    if (result === undefined) return;
    onResult(result);
    const restMs = waitMs - (clock.monotonic() - startedAt);
    // An interruption ends the loop.
    if (number < count && restMs > 0) await clock.sleep(restMs, signal).catch(() => undefined);
  }
}

async function pingOnce(
  connection: Pingable,
  timeoutMs: number,
  { clock, signal }: Pick<SeriesNeeds, "clock" | "signal">,
): Promise<PingResult | undefined> {
  try {
    const pong = await withDeadline(timeoutMs, clock, (limit) =>
      connection.ping(AbortSignal.any([signal, limit])),
    );
    return { kind: "pong", pong };
  } catch (error) {
    if (signal.aborted) return undefined;
    const isLate = error instanceof DOMException && error.name === "TimeoutError";
    const reason = isLate ? `no answer within ${timeoutMs / 1_000} s` : errorText(error);
    return { kind: "failure", reason };
  }
}
