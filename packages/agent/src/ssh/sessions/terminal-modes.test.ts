import { expect, it } from "vitest";

import { sttyCalls } from "./terminal-modes.ts";

it("makes the settings that every stty knows in a call of their own", () => {
  const modes = new Map([
    ["ECHO", 0],
    ["ICANON", 1],
    ["IUTF8", 1],
    ["TTY_OP_ISPEED", 38_400],
    ["VWHATEVER", 1],
  ]);
  expect(sttyCalls(modes)).toEqual([["icanon", "-echo"], ["iutf8"], ["ispeed", "38400"]]);
});

it.each([
  [3, "^C"],
  [127, "^?"],
  [28, "^\\"],
  [0, "^-"],
  [255, "^-"],
  [39, "'"],
])("writes the character %d as %j", (code, text) => {
  expect(sttyCalls(new Map([["VINTR", code]]))).toEqual([["intr", text]]);
});

it("makes no call without a setting, and ignores characters that are none", () => {
  expect(sttyCalls(new Map([["VINTR", 200]]))).toEqual([]);
});
