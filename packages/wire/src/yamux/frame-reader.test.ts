import { expect, it } from "vitest";

import { encodeHex, parseHex } from "../bytes/hex.ts";
import { joinBytes } from "../bytes/join.ts";
import { FrameReader } from "./frame-reader.ts";
import type { FramePart } from "./frame-reader.ts";

const bytes = parseHex(
  "000100010000000100000000" + // SYN
    "000000000000000100000005" + // Data, 5 bytes
    "0102030405000000040000000100000000" + // Data, FIN, no bytes
    "0002000100000000deadbeef", // Ping
);

/** Headers and joined payloads in the order of their ends. */
function summary(parts: readonly FramePart[]): readonly string[] {
  const lines: string[] = [];
  let payload: Uint8Array[] = [];
  for (const part of parts) {
    if (part.type === "header") {
      lines.push(`header ${String(part.header.type)} ${String(part.header.length)}`);
    } else {
      payload.push(part.bytes);
      if (part.isLast) {
        lines.push(`payload ${encodeHex(joinBytes(payload))}`);
        payload = [];
      }
    }
  }
  return lines;
}

function read(chunks: readonly Uint8Array[]): readonly FramePart[] {
  const reader = new FrameReader();
  return chunks.flatMap((chunk) => [...reader.read(chunk)]);
}

const whole = [
  "header 1 0",
  "header 0 5",
  "payload 0102030405",
  "header 0 0",
  "header 2 3735928559",
];

it("reads the frames of one chunk", () => {
  expect(summary(read([bytes]))).toEqual(whole);
});

it("reads the same frames, however the bytes are cut in three", () => {
  for (let first = 0; first <= bytes.length; first += 1) {
    for (let second = first; second <= bytes.length; second += 1) {
      const chunks = [
        bytes.subarray(0, first),
        bytes.subarray(first, second),
        bytes.subarray(second),
      ];
      expect(summary(read(chunks))).toEqual(whole);
    }
  }
});

it("reads the same frames byte by byte", () => {
  expect(summary(read(Array.from(bytes, (byte) => Uint8Array.of(byte))))).toEqual(whole);
});

it("says nothing about bytes that end early", () => {
  for (let length = 0; length < bytes.length; length += 1) {
    const lines = summary(read([bytes.subarray(0, length)]));
    expect(lines).toEqual(whole.slice(0, lines.length));
  }
});

it("does not copy a payload", () => {
  for (const part of read([bytes])) {
    expect(part.type === "header" || part.bytes.buffer === bytes.buffer).toBe(true);
  }
});
