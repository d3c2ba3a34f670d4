import { readFile } from "node:fs/promises";

import { expect, it } from "vitest";

import { commandTable, programs, tableFile } from "./command-table.ts";

it.each(programs)(
  "the table of the program %s is what the committed file holds",
  async (program) => {
    const file = await readFile(tableFile(program), "utf8");
    expect(file, "npm run generate writes it again").toBe(await commandTable(program));
  },
);
