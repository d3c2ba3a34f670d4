import { type Measurement, quantile, summarize } from "./report.ts";

/** The units of a median and a 99th percentile, which are compared only with the same unit. */
const unitsApart = ["ms, p50", "ms, p99"] as const;

/** The findings of a benchmark, run by run, in order of first appearance. */
export class Findings {
  readonly #found = new Map<string, { readonly unit: string; readonly runs: number[] }>();
  #isShort = false;

  note(name: string, unit: string, ...values: readonly number[]): void {
    const measurement = this.#found.get(name) ?? { unit, runs: [] };
    this.#found.set(name, measurement);
    measurement.runs.push(...values);
  }

  /** Records the median and the 99th percentile of times in milliseconds. */
  noteTimes(
    name: string,
    timesMs: readonly number[],
    units: readonly [string, string] = unitsApart,
  ): void {
    this.note(`${name}, p50`, units[0], quantile(timesMs, 0.5));
    this.note(`${name}, p99`, units[1], quantile(timesMs, 0.99));
  }

  /** Returns the runs of a measurement so far. */
  runs(name: string): readonly number[] {
    return this.#found.get(name)?.runs ?? [];
  }

  median(name: string): number {
    const [summary] = summarize([{ name, unit: "", runs: this.runs(name) }]);
    return summary?.median ?? Number.NaN;
  }

  /** Marks the benchmark as missing a target unless the condition holds. */
  require(holds: boolean): void {
    this.#isShort ||= !holds;
  }

  /**
   * Returns all measurements, with a target appended to the name where one exists for the name's suffix, and whether
   * the benchmark misses a target.
   */
  against(targets: Readonly<Record<string, number>>): {
    readonly measurements: readonly Measurement[];
    readonly isShort: boolean;
  } {
    const measurements = [...this.#found].map(([name, { unit, runs }]) => {
      const target = Object.entries(targets).find(([end]) => name.endsWith(end))?.[1];
      if (target === undefined) return { name, unit, runs };
      this.require(this.median(name) < target);
      return { name: `${name} (target < ${target})`, unit, runs };
    });
    return { measurements, isShort: this.#isShort };
  }
}
