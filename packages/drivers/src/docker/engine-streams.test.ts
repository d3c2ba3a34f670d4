import fc from "fast-check";
import { expect, it } from "vitest";

import { jsonLines, outputText, readHead } from "./engine-streams.ts";

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readAll(text: string, size: number): Promise<readonly unknown[]> {
  return Array.fromAsync(jsonLines(inChunks(new TextEncoder().encode(text), size)));
}

it("reads lines of JSON, however they are cut", async () => {
  const values = fc.array(fc.oneof(fc.string(), fc.record({ status: fc.string() })));
  await fc.assert(
    fc.asyncProperty(values, fc.integer({ min: 1, max: 40 }), async (list, size) => {
      const text = list.map((value) => `${JSON.stringify(value)}\r\n`).join("");
      expect(await readAll(text, size)).toEqual(list);
    }),
  );
  expect(await readAll('{"a":1}\n\n{"b":"ü"}', 1)).toEqual([{ a: 1 }, { b: "ü" }]);
});

it("rejects what is no JSON, and a line without an end", async () => {
  await expect(readAll("<html>\n", 3)).rejects.toThrow(SyntaxError);
  await expect(readAll("x".repeat(1024 * 1024 + 1), 4096)).rejects.toThrow("line of more than");
});

it("joins the frames of a container's output", () => {
  const frame = (stream: number, text: string): Uint8Array =>
    Buffer.concat([Uint8Array.of(stream, 0, 0, 0, 0, 0, 0, text.length), Buffer.from(text)]);
  const bytes = Buffer.concat([frame(1, "out\n"), frame(2, "err\n")]);
  expect(outputText(bytes)).toBe("out\nerr\n");
  expect(outputText(bytes.subarray(0, -2))).toBe("out\ner");
  expect(outputText(bytes.subarray(0, 3))).toBe("");
  expect(outputText(Uint8Array.from([1, 0, 0, 0, 255, 255, 255, 255, 65]))).toBe("A");
});

it("reads the head of a stream that never ends", async () => {
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    for (;;) yield new Uint8Array(700);
  };
  expect(await readHead(endless(), 1_000)).toHaveLength(1_000);
  expect(await readHead(inChunks(new Uint8Array(10), 3), 1_000)).toHaveLength(10);
});
