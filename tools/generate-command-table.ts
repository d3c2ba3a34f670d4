import { writeFile } from "node:fs/promises";

import { commandTable, programs, tableFile } from "./command-table.ts";

/* Writes the tables of the commands, so that listing them loads no definitions. */

for (const program of programs) await writeFile(tableFile(program), await commandTable(program));
