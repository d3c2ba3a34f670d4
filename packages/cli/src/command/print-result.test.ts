import { expect, it } from "vitest";

import { memoryTerminal } from "../../tests/support/memory-terminal.ts";
import { printList } from "./print-result.ts";

const view = { columns: { name: (item: string) => item }, none: "no names" };

it.each([
  ["json", [], "[]\n", ""],
  ["text", [], "", "no names\n"],
  ["json", ["a"], '[\n  "a"\n]\n', ""],
  ["text", ["a"], "NAME\na\n", ""],
] as const)("prints as %s the list %j", (output, items, out, err) => {
  const terminal = memoryTerminal();
  expect(printList(terminal, items, { output, column: ["name"] }, view)).toBe(0);
  expect(terminal.outText()).toBe(out);
  expect(terminal.errText()).toBe(err);
});
