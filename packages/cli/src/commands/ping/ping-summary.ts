import { latencyText } from "../../resources/network/network-text.ts";
import type { PingResult } from "./ping-series.ts";

/** The numbers of a series; latencies are undefined without an answer. */
export interface PingSummary {
  readonly sent: number;
  readonly answered: number;
  readonly direct: number;
  readonly minMs: number | undefined;
  readonly averageMs: number | undefined;
  readonly maxMs: number | undefined;
}

/** Adds up a series without keeping it. */
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
