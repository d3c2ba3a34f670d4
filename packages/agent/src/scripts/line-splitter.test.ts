import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { LineSplitter, maxLineBytes } from "./line-splitter.ts";

function split(...chunks: readonly (string | Buffer)[]): string[] {
  const splitter = new LineSplitter();
  const lines = chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk)));
  return [...lines, ...splitter.close()];
}

describe("LineSplitter", () => {
  it("drops one carriage return at the end of a line", () => {
    expect(split("a\r\n\r\r\nb\rc\n")).toEqual(["a", "\r", "b\rc"]);
  });

  it("keeps a line without an end until it is closed", () => {
    const splitter = new LineSplitter();
    expect(splitter.push(Buffer.from("a\nb"))).toEqual(["a"]);
    expect(splitter.push(Buffer.from("c"))).toEqual([]);
    expect(splitter.close()).toEqual(["bc"]);
    expect(splitter.close()).toEqual([]);
  });

  it("makes the same lines however the bytes are cut", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "ü", "\n", "\r", "\0") });
    fc.assert(
      fc.property(text, fc.array(fc.nat(4)), (input, cuts) => {
        const bytes = Buffer.from(input);
        const chunks: Buffer[] = [];
        let at = 0;
        for (const length of cuts) {
          chunks.push(bytes.subarray(at, at + length));
          at += length;
        }
        expect(split(...chunks, bytes.subarray(at))).toEqual(split(bytes));
      }),
    );
  });

  it("marks what no text may hold", () => {
    expect(split(Buffer.from([0x61, 0xff, 0xfe, 0x62, 0, 0x63]))).toEqual(["a❌b❌c"]);
  });

  it("cuts a line that never ends into pieces", () => {
    const lines = split("x".repeat(maxLineBytes * 2 + 10), "\nend\n");
    expect(lines.map((line) => line.length)).toEqual([maxLineBytes, maxLineBytes, 10, 3]);
  });
});
