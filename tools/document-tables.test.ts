import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { expect, it } from "vitest";

import { limitsTable, metricsTable, settingsTable, withTable } from "./document-tables.ts";

/* A table of a guide names each thing once: merges have duplicated whole tables. */

const directory = fileURLToPath(new URL("../docs", import.meta.url));
const guides = (await readdir(directory)).filter((name) => name.endsWith(".md"));

/** Returns the first cells that a table has twice, including its header and rule. */
function repeatedIn(text: string): readonly string[] {
  const tables = text.match(/(?:^\|.*\n)+/gm) ?? [];
  return tables.flatMap((table) => {
    const cells = table.trimEnd().split("\n");
    const firsts = cells
      .map((row) => row.split("|")[1]?.trim() ?? "")
      .filter((cell) => cell !== "");
    return firsts.filter((cell, index) => firsts.indexOf(cell) !== index);
  });
}

it("finds a row, a head and a rule that a table has twice", () => {
  const table = "| a | b |\n| - | - |\n| x | 1 |\n| a | b |\n| - | - |\n| x | 2 |\n";
  expect(repeatedIn(`text\n\n${table}\ntext`)).toEqual(["a", "-", "x"]);
});

it.each(guides)("docs/%s has no table with a row twice", async (name) => {
  expect(repeatedIn(await readFile(`${directory}/${name}`, "utf8"))).toEqual([]);
});

/** Returns a page without the padding of its tables. */
function unpadded(page: string): string {
  return page.replaceAll(/ +\|/g, " |").replaceAll(/-{3,}/g, "---");
}

it("finds in docs/configuration.md the settings and limits of the code", async () => {
  const page = unpadded(await readFile(`${directory}/configuration.md`, "utf8"));
  const settings = unpadded(withTable(page, "settings", await settingsTable()));
  expect(unpadded(withTable(settings, "limits", limitsTable())), "npm run generate").toBe(page);
});

it("reads names, types and meanings of our metrics from what a server reports", () => {
  const text =
    "# HELP nodejs_b B.\n# TYPE nodejs_b gauge\n# HELP slipway_b B: x | y.\n# TYPE slipway_b gauge\nslipway_b 1\n# HELP slipway_a A.\n# TYPE slipway_a counter\n";
  expect(metricsTable(text)).toBe(
    "| metric | type | meaning |\n| --- | --- | --- |\n| `slipway_a` | counter | A. |\n| `slipway_b` | gauge | B: x \\| y. |\n",
  );
});

it("refuses a page without a place for the table", () => {
  expect(() => withTable("text", "limits", "")).toThrow("no place for the table limits");
});
