import fc from "fast-check";
import { expect, it } from "vitest";

import { joinBytes } from "../bytes/join.ts";
import { DrpcError } from "./errors.ts";
import { encodeFrame } from "./frame.ts";
import { PacketReader } from "./packet-reader.ts";
import type { DrpcPacket } from "./packet.ts";

/** Three packets, the second of which has two frames. */
const stream = joinBytes([
  encodeFrame(frame(1, 1, true, [0x2f, 0x78])),
  encodeFrame(frame(2, 2, false, [1, 2, 3])),
  encodeFrame(frame(2, 2, true, [4])),
  encodeFrame(frame(6, 3, true, [])),
]);

function frame(kind: number, messageId: number, isDone: boolean, data: readonly number[]) {
  return { kind, isDone, isControl: false, streamId: 1, messageId, data: Uint8Array.from(data) };
}

function read(reader: PacketReader, chunks: readonly Uint8Array[]): readonly DrpcPacket[] {
  return chunks.flatMap((chunk) => [...reader.read(chunk)]);
}

const whole = read(new PacketReader(), [stream]);

it("reads the packets of one chunk", () => {
  expect(whole.map((packet) => [packet.kind, ...packet.data])).toEqual([
    [1, 0x2f, 0x78],
    [2, 1, 2, 3, 4],
    [6],
  ]);
});

it("reads the same packets, however the bytes are cut in three", () => {
  for (let first = 0; first <= stream.length; first += 1) {
    for (let second = first; second <= stream.length; second += 1) {
      const chunks = [
        stream.subarray(0, first),
        stream.subarray(first, second),
        stream.subarray(second),
      ];
      expect(read(new PacketReader(), chunks)).toEqual(whole);
    }
  }
});

it("reads the same packets byte by byte", () => {
  const chunks = Array.from(stream, (byte) => Uint8Array.of(byte));
  expect(read(new PacketReader(), chunks)).toEqual(whole);
});

it("says nothing about bytes that end early", () => {
  for (let length = 0; length < stream.length; length += 1) {
    const packets = read(new PacketReader(), [stream.subarray(0, length)]);
    expect(packets).toEqual(whole.slice(0, packets.length));
  }
});

it("raises only its own error for random bytes in random chunks", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
      try {
        read(new PacketReader(), chunks);
        return true;
      } catch (error) {
        return error instanceof DrpcError;
      }
    }),
    { numRuns: 1000 },
  );
});
