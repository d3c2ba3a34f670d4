import fc from "fast-check";
import { expect, it } from "vitest";

import { readEscapes } from "./escapes.ts";

function type(...chunks: readonly string[]): string {
  let disconnected = false;
  const passOn = readEscapes(() => (disconnected = true));
  const passed = Buffer.concat(chunks.map((chunk) => passOn(Buffer.from(chunk)))).toString();
  return disconnected ? `${passed}|` : passed;
}

it.each([
  ["ls\r", "ls\r"],
  ["~.", "|"],
  ["a~.", "a~."],
  ["a\r~.", "a\r|"],
  ["a\n~.", "a\n|"],
  ["~~.", "~."],
  ["~~~.", "~~."],
  ["~a\r~b", "~a\r~b"],
  ["~\r~.", "~\r|"],
  ["é~\u0003", "é~\u0003"],
])("passes %j on as %j, where | disconnects", (typed, passed) => {
  expect(type(typed)).toBe(passed);
});

it("does not depend on how the keys arrive", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("~", "a", "\r", "\n"), { maxLength: 12 }), (keys) => {
      expect(type(...keys)).toBe(type(keys.join("")));
    }),
  );
});
