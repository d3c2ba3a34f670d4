import { expect, it } from "vitest";

import { memoryTerminal } from "../../../../tests/support/memory-terminal.ts";
import type { ImportEntry } from "./import-items.ts";
import { reportImport } from "./report-import.ts";

const entries: readonly ImportEntry[] = [
  { kind: "user", name: "ada", outcome: "created", detail: "needs a new password" },
  { kind: "version", name: "box/one", outcome: "created", detail: "" },
  { kind: "version", name: "box/two", outcome: "failed", detail: "a\u001b[2J\u009b1mb\rc" },
];

it("prints a table and the numbers, and fails with its items", () => {
  const terminal = memoryTerminal();
  expect(reportImport(terminal, entries, "text")).toBe(1);
  expect(terminal.outText().split("\n").slice(0, 2)).toEqual([
    "KIND     NAME     OUTCOME  DETAIL",
    "user     ada      created  needs a new password",
  ]);
  expect(terminal.errText()).toBe("created: 1 user, 1 version\nfailed: 1 version\n");
  expect(reportImport(memoryTerminal(), entries.slice(0, 1), "text")).toBe(0);
});

it.each(["text", "json"] as const)("prints no control characters of others as %s", (output) => {
  const terminal = memoryTerminal();
  reportImport(terminal, entries, output);
  // oxlint-disable-next-line no-control-regex -- these are what must not appear
  expect(terminal.outText()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
});
