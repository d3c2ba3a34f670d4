import type { Measurement } from "../report.ts";
import { summarize } from "../report.ts";
import { quantile } from "./quantile.ts";

/** The findings of a benchmark, run by run, in the order in which they first appeared. */
export class Findings {
  readonly #found = new Map<string, { readonly unit: string; readonly runs: number[] }>();

  note(name: string, unit: string, value: number): void {
    const measurement = this.#found.get(name) ?? { unit, runs: [] };
    this.#found.set(name, measurement);
    measurement.runs.push(value);
  }

  /** Notes the median and the 99th percentile of times in milliseconds. */
  noteTimes(name: string, timesMs: readonly number[]): void {
    this.note(`${name}, p50`, "ms, p50", quantile(timesMs, 0.5));
    this.note(`${name}, p99`, "ms, p99", quantile(timesMs, 0.99));
  }

  /**
   * Returns the findings, each with its target in its name where one exists for the name's ending, and the names of
   * those that miss it.
   */
  against(targets: Readonly<Record<string, number>>): {
    readonly measurements: readonly Measurement[];
    readonly missed: readonly string[];
  } {
    const missed: string[] = [];
    const measurements: Measurement[] = [];
    for (const [name, { unit, runs }] of this.#found) {
      const target = Object.entries(targets).find(([end]) => name.endsWith(end))?.[1];
      const shown = target === undefined ? name : `${name} (target < ${target})`;
      measurements.push({ name: shown, unit, runs });
      const median = summarize([{ name, unit, runs }])[0]?.median ?? Number.NaN;
      if (target !== undefined && !(median < target)) missed.push(name);
    }
    return { measurements, missed };
  }
}
