import fc from "fast-check";
import { expect, it } from "vitest";

import { OutputLines } from "./output-lines.ts";

function linesOf(chunks: readonly string[]): readonly string[] {
  const found: string[] = [];
  const lines = new OutputLines((line) => found.push(line.toString()));
  for (const chunk of chunks) lines.add(Buffer.from(chunk));
  lines.end();
  return found;
}

it("gives the same lines, however the output is split", () => {
  const text = fc.array(fc.constantFrom("a", "b\n", "\n", "cd"), { maxLength: 20 });
  fc.assert(
    fc.property(text, fc.nat(), (parts, seed) => {
      const whole = parts.join("");
      const at = seed % (whole.length + 1);
      expect(linesOf([whole.slice(0, at), whole.slice(at)])).toEqual(linesOf([whole]));
      expect(linesOf(whole.split(""))).toEqual(linesOf([whole]));
    }),
  );
});

it("reports a last line without an end", () => {
  expect(linesOf(["one\ntwo"])).toEqual(["one", "two"]);
});

it("cuts a line that is longer than the limit", () => {
  const [long = "", next] = linesOf([
    ...Array.from({ length: 10 }, () => "x".repeat(10_000)),
    "\nnext\n",
  ]);
  expect(long).toHaveLength(64 * 1024);
  expect(next).toBe("next");
});
