import { parseArgs } from "node:util";

import { Findings } from "./findings.ts";
import { formatTable, summarize } from "./report.ts";

/** The options of a command line by name, without dashes. */
type Options = Readonly<Record<string, boolean | number | string>>;

/** The tools of a benchmark for one run. */
export interface Bench<Chosen extends Options> {
  readonly options: Chosen;
  readonly findings: Findings;
  /** The resources of the run, closed after its report. */
  readonly opened: AsyncDisposableStack;
}

interface Definition<Chosen extends Options> {
  readonly title: string | ((options: Chosen) => string);
  /** The options with their defaults (default: none). */
  readonly options?: Chosen;
  /** Upper bounds of medians, by the suffix of a measurement's name (default: none). */
  readonly targets?: Readonly<Record<string, number>>;
  readonly measure: (bench: Bench<Chosen>) => Promise<void>;
}

/** Measures according to the arguments and prints the report. Sets the exit code to 1 when a target is missed. */
export type Benchmark = (args: readonly string[]) => Promise<void>;

export function defineBenchmark<Chosen extends Options = Options>({
  title,
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a benchmark without options has none to name
  options: defaults = {} as Chosen,
  targets = {},
  measure,
}: Definition<Chosen>): Benchmark {
  return async (args) => {
    const { options, json } = readOptions(defaults, args);
    const findings = new Findings();
    await using opened = new AsyncDisposableStack();
    await measure({ options, findings, opened });
    const { measurements, isShort } = findings.against(targets);
    const heading = typeof title === "string" ? title : title(options);
    const results = summarize(measurements);
    const text = json
      ? JSON.stringify({ title: heading, node: process.version, results })
      : formatTable(heading, results);
    process.stdout.write(`${text}\n`);
    if (isShort) process.exitCode = 1;
  };
}

/** Reads options, which have the types of their defaults. Throws for unknown ones. */
function readOptions<Chosen extends Options>(
  defaults: Chosen,
  args: readonly string[],
): { readonly options: Chosen; readonly json: boolean } {
  const known = Object.entries(defaults).map(([name, value]) => {
    const type = typeof value === "boolean" ? ("boolean" as const) : ("string" as const);
    return [name, { type }] as const;
  });
  const { values } = parseArgs({
    args: [...args],
    options: { ...Object.fromEntries(known), json: { type: "boolean", default: false } },
  });
  const written = new Map<string, unknown>(Object.entries(values));
  const chosen = Object.entries(defaults).map(([name, value]) => {
    const given = written.get(name) ?? value;
    return [name, typeof value === "number" ? Number(given) : given];
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each value has the type of its default
  return { options: Object.fromEntries(chosen) as Chosen, json: values.json };
}
