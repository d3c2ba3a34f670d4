import { expect, test } from "vitest";

import { parseProcesses, psTable } from "./ps-table.ts";

test("reads the lines of ps and leaves zombies out", () => {
  const output = [
    "  100     1   100 Ss   Wed Nov 25 01:40:14 2026",
    "  101   100   100 Z    Wed Nov 25 01:40:15 2026",
    "",
  ].join("\n");
  expect(parseProcesses(output)).toEqual([
    {
      pid: 100,
      parentPid: 1,
      groupId: 100,
      start: "Wed Nov 25 01:40:14 2026",
      startedAtMs: Date.parse("Wed Nov 25 01:40:14 2026"),
      marks: undefined,
    },
  ]);
});

test("finds this process, and nothing for a number that cannot be one", async () => {
  expect(await psTable.find(process.pid)).toMatchObject({
    pid: process.pid,
    parentPid: process.ppid,
  });
  expect(await psTable.find(99_999_999)).toBeUndefined();
});
