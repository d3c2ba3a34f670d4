import { type Clock, errorText, withDeadline } from "@slipway/runtime";
import type { Pong } from "@slipway/sdk/workspace";

import { latencyText } from "../../resources/network/network-text.ts";

/** The result of one ping. */
export type PingResult =
  | { readonly kind: "pong"; readonly pong: Pong }
  | { readonly kind: "failure"; readonly reason: string };

export interface PingPlan {
  /** Undefined for an endless series. */
  readonly count: number | undefined;
  readonly waitMs: number;
  readonly timeoutMs: number;
}

interface PingTarget {
  ping(signal: AbortSignal): Promise<Pong>;
}

interface SeriesNeeds {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onResult: (result: PingResult) => void;
}

/** Pings one after the other; resolves at the end of the plan, or normally when the signal is aborted. */
export async function pingSeries(
  connection: PingTarget,
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
  connection: PingTarget,
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

/** The numbers of a series; latencies are undefined without an answer. */
export interface PingSummary {
  readonly sent: number;
  readonly answered: number;
  readonly direct: number;
  readonly minMs: number | undefined;
  readonly averageMs: number | undefined;
  readonly maxMs: number | undefined;
}

/** Sums up a series without keeping it. */
export class PingTotals {
  #sent = 0;
  #answered = 0;
  #direct = 0;
  #sumMs = 0;
  #minMs = Infinity;
  #maxMs = 0;

  add(result: PingResult): void {
    this.#sent += 1;
    if (result.kind === "failure") return;
    const { latencyMs, path } = result.pong;
    this.#answered += 1;
    if (path.kind === "direct") this.#direct += 1;
    this.#sumMs += latencyMs;
    this.#minMs = Math.min(this.#minMs, latencyMs);
    this.#maxMs = Math.max(this.#maxMs, latencyMs);
  }

  get summary(): PingSummary {
    const isAnswered = this.#answered > 0;
    return {
      sent: this.#sent,
      answered: this.#answered,
      direct: this.#direct,
      minMs: isAnswered ? this.#minMs : undefined,
      averageMs: isAnswered ? this.#sumMs / this.#answered : undefined,
      maxMs: isAnswered ? this.#maxMs : undefined,
    };
  }
}

/** Describes a series in one line. */
export function summaryText(summary: PingSummary): string {
  const { sent, answered, direct, minMs, averageMs, maxMs } = summary;
  const answers = `${sent} ${sent === 1 ? "ping" : "pings"}, ${answered} answered`;
  if (minMs === undefined || averageMs === undefined || maxMs === undefined) return answers;
  const latencies = [minMs, averageMs, maxMs].map(latencyText).join(" / ");
  return `${answers}, ${direct} directly; min / average / max ${latencies}`;
}
