/** One thing measured several times. */
export interface Measurement {
  readonly name: string;
  /** The unit of a run: `MB/s`, `ms`, `requests/s`. */
  readonly unit: string;
  /** The number of each run, at least one. */
  readonly runs: readonly number[];
}

export interface Summary {
  readonly name: string;
  readonly unit: string;
  readonly runs: readonly number[];
  readonly min: number;
  readonly median: number;
  readonly max: number;
  /** The ratio of this median to that of the first measurement with the same unit; 1 for that one. */
  readonly ratio: number;
}

/**
 * Runs `measure` `count` times, one after another, after one run that does not count. Each run returns its number
 * itself, so that its setup is not measured.
 */
export async function repeat(
  count: number,
  measure: () => Promise<number> | number,
): Promise<number[]> {
  await measure();
  const runs: number[] = [];
  while (runs.length < count) runs.push(await measure());
  return runs;
}

/** Returns minimum, median and maximum of each measurement, and its ratio to the first one of its unit. */
export function summarize(measurements: readonly Measurement[]): Summary[] {
  const baselines = new Map<string, number>();
  return measurements.map(({ name, unit, runs }) => {
    const sorted = runs.toSorted((a, b) => a - b);
    const [min, max] = [sorted[0], sorted.at(-1)];
    if (min === undefined || max === undefined)
      throw new Error(`"${name}" has 0 runs, wanted 1 or more`);
    const median = medianOf(sorted);
    const baseline = baselines.get(unit) ?? median;
    baselines.set(unit, baseline);
    return { name, unit, runs, min, median, max, ratio: median / baseline };
  });
}

/** Formats the summaries as an aligned table with a heading. */
export function formatTable(title: string, summaries: readonly Summary[]): string {
  const rows = [
    ["", "min", "median", "max", "unit", "ratio"],
    ...summaries.map(({ name, unit, min, median, max, ratio }) => [
      name,
      formatNumber(min),
      formatNumber(median),
      formatNumber(max),
      unit,
      ratio.toFixed(2),
    ]),
  ];
  const widths = rows.reduce<number[]>(
    (known, row) => row.map((cell, column) => Math.max(cell.length, known[column] ?? 0)),
    [],
  );
  const isText = (column: number): boolean => column === 0 || column === 4;
  const lines = rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return isText(column) ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd(),
  );
  return [title, ...lines].join("\n");
}

/** Returns the quantile of the values at a share such as 0.99; NaN if there are no values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function medianOf(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  const lower = sorted[middle - 1] ?? upper;
  return sorted.length % 2 === 1 ? upper : (lower + upper) / 2;
}

/** Formats three significant digits, or an integer from 100 up. */
function formatNumber(value: number): string {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3);
}
