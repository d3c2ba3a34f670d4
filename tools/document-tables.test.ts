import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { expect, it } from "vitest";

/* A table of a guide names each thing once: merges have left whole tables twice. */

const directory = fileURLToPath(new URL("../docs", import.meta.url));
const guides = (await readdir(directory)).filter((name) => name.endsWith(".md"));

/** Returns the first cells that a table has twice, its head and its rule included. */
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
