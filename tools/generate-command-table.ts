import { writeFile } from "node:fs/promises";

import { commandTable, programs, tableFile } from "./command-table.ts";

/* Writes the tables of the commands, so that a list of them loads no definition. */

for (const program of programs) await writeFile(tableFile(program), await commandTable(program));
