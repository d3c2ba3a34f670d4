import type { LogLevel } from "@slipway/api/jobs/job";
import fc from "fast-check";
import { expect, it } from "vitest";

import { LinePacker, linesBytes, packLines, type PackedLines } from "./log-lines.ts";

/** Packs the lines as an agent encodes them, with consecutive texts in one byte array. */
function packEncoded(outputs: readonly string[], level: LogLevel = "info"): PackedLines {
  const source = Buffer.from(outputs.join(""));
  const packer = new LinePacker(0, 0);
  let start = 0;
  for (const output of outputs) {
    const end = start + Buffer.byteLength(output);
    packer.addEncoded(7n, level, source, start, end);
    start = end;
  }
  return packer.finish();
}

function pack(outputs: readonly string[]): PackedLines {
  return packLines(outputs.map((output) => ({ createdNs: 7n, level: "info", output })));
}

/** Returns the elements of an array in its wire form. */
function elements(array: Buffer): readonly Buffer[] {
  const found: Buffer[] = [];
  for (let at = 20; at < array.length;) {
    const length = array.readInt32BE(at);
    found.push(array.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return found;
}

it("packs times, levels and texts as one-dimensional arrays of PostgreSQL", () => {
  const lines = packLines([
    { createdNs: -2n, level: "trace", output: "" },
    { createdNs: 3n, level: "error", output: "ä" },
  ]);
  expect(lines.length).toBe(2);
  expect(lines.times.subarray(0, 20).toString("hex")).toBe(
    "0000000100000000000000140000000200000001",
  );
  expect(elements(lines.times).map((time) => time.readBigInt64BE())).toEqual([-2n, 3n]);
  expect(elements(lines.levels).map(String)).toEqual(["trace", "error"]);
  expect(lines.outputs.readInt32BE(8)).toBe(25);
  expect(elements(lines.outputs).map(String)).toEqual(["", "ä"]);
});

it("packs texts that came encoded as it packs strings", () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: fc.constantFrom("a", "\0", "\uFFFD", "é", "😀", "\uFEFF") }),
    fc.integer({ min: 1000, max: 1100 }).map((length) => "x".repeat(length)),
  );
  fc.assert(
    fc.property(fc.array(text), (outputs) => {
      expect(packEncoded(outputs)).toEqual(pack(outputs));
    }),
  );
});

it.each([
  ["NUL", "a\0b", "a❌b"],
  ["what was no text", "a\uFFFDb", "a❌b"],
  ["half a character", `${"x".repeat(1023)}😀`, `${"x".repeat(1023)}\uFFFD`],
  ["a byte order mark", "\uFEFFa", "\uFEFFa"],
])("keeps of %s what the database can keep", (_, output, kept) => {
  for (const lines of [pack([output]), packEncoded([output])]) {
    expect(elements(lines.outputs).map(String)).toEqual([kept]);
  }
});

it("keeps the first 1024 characters of a line, and weighs all of it", () => {
  const output = "é".repeat(1025);
  for (const lines of [pack([output]), packEncoded([output])]) {
    expect(elements(lines.outputs).map(String)).toEqual(["é".repeat(1024)]);
  }
  expect(linesBytes([{ createdNs: 0n, level: "info", output }])).toBe(2050);
});

it("refuses a text that is not UTF-8", () => {
  const packer = new LinePacker(1, 1);
  expect(() => packer.addEncoded(0n, "info", Uint8Array.of(0xff), 0, 1)).toThrow(TypeError);
});
