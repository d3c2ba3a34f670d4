import { countText } from "@slipway/runtime";

import { exitCodes } from "../../../command/exit-codes.ts";
import { printJson } from "../../../command/print-result.ts";
import { renderColumns } from "../../../terminal/table.ts";
import type { Terminal } from "../../../terminal/terminal.ts";
import type { ImportEntry } from "./import-items.ts";

const columns = {
  kind: ({ kind }: ImportEntry) => kind,
  name: ({ name }: ImportEntry) => name,
  outcome: ({ outcome }: ImportEntry) => outcome,
  detail: ({ detail }: ImportEntry) => detail,
} as const;

/** Prints the items of an import, as a table or as JSON, and their numbers; returns the exit code. */
export function reportImport(
  { out, err }: Pick<Terminal, "out" | "err">,
  entries: readonly ImportEntry[],
  output: "text" | "json",
): number {
  if (output === "json") printJson(out, entries);
  else if (entries.length > 0) {
    const names = ["kind", "name", "outcome", "detail"] as const;
    for (const line of renderColumns(columns, names, entries, out)) out.line(line);
  }
  for (const line of summaryLines(entries)) err.line(line);
  return entries.some(({ outcome }) => outcome === "failed") ? exitCodes.failure : exitCodes.ok;
}

const kinds = ["user", "template", "version", "workspace"] as const;

/** Returns a line for each outcome, such as `create: 3 users, 1 template`. */
function summaryLines(entries: readonly ImportEntry[]): string[] {
  const groups = Map.groupBy(entries, ({ outcome }) => outcome);
  return [...groups].map(([outcome, group]) => {
    const counts = kinds.flatMap((kind) => {
      const count = group.filter((one) => one.kind === kind).length;
      return count === 0 ? [] : [countText(count, kind)];
    });
    return `${outcome}: ${counts.join(", ")}`;
  });
}
