import type { DescMessage } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { parseUtf8 } from "../bytes/utf8.ts";
import { ProtobufError } from "./errors.ts";
import { BatchCreateLogsRequestSchema } from "./gen/agent_pb.ts";
import { readLogBatch } from "./log-batch.ts";
import { createMessage, encodeMessage, parseMessage } from "./message.ts";
import { timestampFromNs, timestampToNs } from "./time.ts";

function readAll(bytes: Uint8Array) {
  const lines: { createdNs: bigint; level: number; output: string }[] = [];
  const sourceId = readLogBatch(bytes, (createdNs, level, start, end) =>
    lines.push({ createdNs, level, output: parseUtf8(bytes.subarray(start, end)) }),
  );
  return { sourceId: [...sourceId], lines };
}

const line = fc.record({
  createdAt: fc.option(fc.bigInt(0n, 2n ** 63n - 1_000_000_000n).map(timestampFromNs), {
    nil: undefined,
  }),
  level: fc.integer({ min: 0, max: 99 }),
  output: fc.string({ unit: "grapheme" }),
});

describe("readLogBatch", () => {
  it("reads what the general parser reads", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), fc.array(line), (logSourceId, logs) => {
        // Levels of later releases have no type.
        const schema: DescMessage = BatchCreateLogsRequestSchema;
        const bytes = encodeMessage(schema, { logSourceId, logs });
        const message = parseMessage(BatchCreateLogsRequestSchema, bytes);
        expect(readAll(bytes)).toEqual({
          sourceId: [...message.logSourceId],
          lines: message.logs.map(({ createdAt, level, output }) => ({
            createdNs: timestampToNs(createdAt),
            level,
            output,
          })),
        });
      }),
    );
  });

  it("passes over fields of later releases, of every wire type", () => {
    const unknown = [
      { no: 15, wireType: 0, data: Uint8Array.of(0xff, 0x01) },
      { no: 16, wireType: 1, data: new Uint8Array(8) },
      { no: 17, wireType: 2, data: Uint8Array.of(2, 7, 7) },
      { no: 18, wireType: 5, data: new Uint8Array(4) },
    ];
    const message = createMessage(BatchCreateLogsRequestSchema, { logs: [{ output: "kept" }] });
    message.$unknown = unknown;
    for (const log of message.logs) log.$unknown = unknown;
    const bytes = encodeMessage(BatchCreateLogsRequestSchema, message);
    expect(readAll(bytes).lines).toEqual([{ createdNs: 0n, level: 0, output: "kept" }]);
  });

  it.each([
    ["before 1970", { seconds: -1n, nanos: 0 }],
    ["of Go's zero", { seconds: -62_135_596_800n, nanos: 0 }],
    ["beyond 64 bits of nanoseconds", { seconds: 2n ** 40n, nanos: 0 }],
    ["with a second too many", { seconds: 1n, nanos: 1_000_000_000 }],
    ["with negative nanoseconds", { seconds: 1n, nanos: -1 }],
  ])("reads a time %s as none", (_, createdAt) => {
    const bytes = encodeMessage(BatchCreateLogsRequestSchema, { logs: [{ createdAt }] });
    expect(readAll(bytes).lines[0]?.createdNs).toBe(0n);
  });

  it("refuses a batch that is cut off inside a field", () => {
    const bytes = encodeMessage(BatchCreateLogsRequestSchema, {
      logs: [{ createdAt: timestampFromNs(10n ** 18n), output: "a text", level: 3 }],
    });
    for (let length = 1; length < bytes.length; length += 1) {
      expect(() => readAll(bytes.subarray(0, length))).toThrow(ProtobufError);
    }
  });

  it.each([
    ["a field 0", [0x00, 0x00]],
    ["a group", [0x1b, 0x1c]],
    ["a varint of 11 bytes", [0x78, ...Array<number>(10).fill(0x80), 0]],
    ["a line longer than the batch", [0x12, 0x05, 0x12, 0x01]],
    ["a text longer than its line", [0x12, 0x02, 0x12, 0x05, 0x61, 0x61]],
    ["a length of 2^62", [0x12, ...Array<number>(8).fill(0x80), 0x40]],
  ])("refuses %s", (_, bytes) => {
    expect(() => readAll(Uint8Array.from(bytes))).toThrow(ProtobufError);
  });

  it("raises only its own error for random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          readLogBatch(bytes, () => undefined);
          return true;
        } catch (error) {
          return error instanceof ProtobufError;
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("leaves it to the taker whether a text is UTF-8", () => {
    const bytes = Uint8Array.of(0x12, 0x03, 0x12, 0x01, 0xff);
    expect(() => readAll(bytes)).toThrow("invalid UTF-8");
    readLogBatch(bytes, (_time, _level, start, end) => expect([start, end]).toEqual([4, 5]));
  });
});
