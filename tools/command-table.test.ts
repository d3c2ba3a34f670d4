import { readFile } from "node:fs/promises";

import { expect, test } from "vitest";

import { commandTable, programs, tableFile } from "./command-table.ts";

test.each(programs)(
  "the table of the program %s is what the committed file holds",
  async (program) => {
    const file = await readFile(tableFile(program), "utf8");
    expect(file, "npm run generate writes it again").toBe(await commandTable(program));
  },
);
