import { expect, it } from "vitest";

import { parseProcesses } from "./ps-table.ts";

it("reads the lines of ps and leaves zombies out", () => {
  const output = [
    "  100     1   100   501 Ss   Wed Nov 25 01:40:14 2026",
    "  101   100   100   501 Z    Wed Nov 25 01:40:15 2026",
    "",
  ].join("\n");
  expect(parseProcesses(output)).toEqual([
    {
      pid: 100,
      parentPid: 1,
      groupId: 100,
      start: "Wed Nov 25 01:40:14 2026",
      startedAtMs: Date.parse("Wed Nov 25 01:40:14 2026"),
      uid: 501,
      marks: undefined,
    },
  ]);
});
