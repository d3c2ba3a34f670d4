import fc from "fast-check";
import { expect, it } from "vitest";

import { RunText } from "./run-text.ts";

function chunk(stream: "stdout" | "stderr", bytes: Uint8Array) {
  return { stream, data: Buffer.from(bytes).toString("base64") };
}

it("reads what was written, however it was cut", () => {
  fc.assert(
    fc.property(
      fc
        .string({ unit: "grapheme" })
        .filter((text) => text.isWellFormed() && !/\p{C}|\u2028|\u2029/u.test(text)),
      fc.array(fc.nat({ max: 5 })),
      (text, cuts) => {
        const bytes = Buffer.from(text);
        const output = new RunText();
        let at = 0;
        for (const cut of cuts) {
          output.add(chunk("stdout", bytes.subarray(at, at + cut)));
          at += cut;
        }
        output.add(chunk("stdout", bytes.subarray(at)));
        expect(output.read(0)).toEqual({ stdout: text, stderr: "" });
        expect(output.unfinishedBytes).toBe(0);
      },
    ),
  );
});

it.each([
  ["", 0],
  ["61", 0],
  ["61c3", 1],
  ["c3a9", 0],
  ["61e282", 2],
  ["e282ac", 0],
  ["f0", 1],
  ["f09f", 2],
  ["f09f98", 3],
  ["f09f9880", 0],
  ["80808080", 0],
  ["ff", 1],
])("of %s, leaves %i bytes for what follows", (hex, count) => {
  const output = new RunText();
  output.add(chunk("stderr", Buffer.from("x")));
  output.add(chunk("stderr", Buffer.from(hex, "hex")));
  expect(output.unfinishedBytes).toBe(count);
});

it("keeps the streams apart, and terminals safe", () => {
  const output = new RunText();
  output.add(chunk("stdout", Buffer.from("\u001b[2Jout")));
  output.add(chunk("stderr", Buffer.from("err\u0007")));
  expect(output.read(0)).toEqual({ stdout: "out", stderr: "err\u2407" });
  expect(output.size).toBe(11);
});
