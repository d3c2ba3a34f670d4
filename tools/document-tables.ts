import { limitDefinitions, limitNames, limitVariable } from "@slipway/server/limits";

import { definitionOf } from "./command-table.ts";

/* The tables of the guides that are generated from the code: settings and limits of the server, and its metrics. */

/** The cells of a row, as Markdown. */
type Row = readonly string[];

interface SettingFlag {
  /** The environment variable of the setting; undefined for a flag without one. */
  readonly variable: string | undefined;
  readonly summary: string;
}

/** Returns the table of the settings of `slipway server`, from its flags; limits have a separate table. */
export async function settingsTable(): Promise<string> {
  const { flags } = await definitionOf("server");
  const limits = new Set(limitNames.map(limitVariable));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the command defines its flags in this form
  const rows = Object.values(flags as Readonly<Record<string, SettingFlag>>).flatMap((flag) => {
    const { variable, summary } = flag;
    if (variable === undefined || limits.has(variable)) return [];
    const [, meaning = "", fallback = ""] = /^(.*?)(?: \(default: (.*)\))?$/.exec(summary) ?? [];
    return [[`\`${variable}\``, fallback, meaning]];
  });
  return table(["variable", "default", "meaning"], rows);
}

/** Returns the table of the server's limits. */
export function limitsTable(): string {
  const rows = limitNames.map((name): Row => {
    const { min, max, mayBeUnlimited, default: fallback, summary } = limitDefinitions[name];
    const range = `${min} – ${max}${mayBeUnlimited ? " or `unlimited`" : ""}`;
    return [`\`${limitVariable(name)}\``, String(fallback), range, summary];
  });
  return table(["variable", "default", "range", "meaning"], rows);
}

/**
 * Returns the table of the metrics whose names begin with `slipway_`, from a response of `/metrics` (Prometheus text
 * format).
 */
export function metricsTable(exposition: string): string {
  const types = new Map(
    [...exposition.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => [
      name,
      type,
    ]),
  );
  const rows = [...exposition.matchAll(/^# HELP (slipway_\S+) (.*)$/gm)]
    .map(([, name = "", help = ""]): Row => [`\`${name}\``, types.get(name) ?? "", help])
    .toSorted(([one = ""], [other = ""]) => (one < other ? -1 : 1));
  return table(["metric", "type", "meaning"], rows);
}

/**
 * Replaces a table of a page: the text between `<!-- table: <name> -->` and the next `<!-- end of table -->`. Throws
 * if the page has no such place.
 */
export function withTable(page: string, name: string, text: string): string {
  const place = new RegExp(`(<!-- table: ${name} -->)[^]*?(<!-- end of table -->)`);
  if (!place.test(page)) throw new Error(`the page has no place for the table ${name}`);
  return page.replace(place, (_, start: string, end: string) => `${start}\n\n${text}\n${end}`);
}

function table(head: Row, rows: readonly Row[]): string {
  const line = (cells: Row): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line), ""].join("\n");
}
