import { expect, it } from "vitest";

import { psTable } from "./ps-table.ts";

/* Needs the program `ps`, which a minimal Linux may lack; `vitest.config.ts` then excludes this file, and says so. */

it("finds this process, and nothing for a number that cannot be one", async () => {
  expect(await psTable.find(process.pid)).toMatchObject({
    pid: process.pid,
    parentPid: process.ppid,
  });
  expect(await psTable.find(99_999_999)).toBeUndefined();
});
