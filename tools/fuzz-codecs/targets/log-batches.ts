import { RpcError } from "@slipway/rpc";
import { parseLogRequest } from "@slipway/server/testing";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import { ProtobufError } from "@slipway/wire/protobuf/errors";
import { BatchCreateLogsRequestSchema } from "@slipway/wire/protobuf/gen/agent_pb";
import { readLogBatch } from "@slipway/wire/protobuf/log-batch";
import { encodeMessage, parseMessage } from "@slipway/wire/protobuf/message";
import { timestampFromMs } from "@slipway/wire/protobuf/time";

import { expectSame, valueOf } from "../expectations.ts";
import type { FuzzTarget } from "../target.ts";

/** The reader of log batches, compared with the general one: batches that both accept have the same lines. */
export const logBatchesTarget: FuzzTarget = {
  name: "log-batches",
  maxBytes: 8 * 1024,
  maxMs: 100,
  words: [
    "\u0012\u0004",
    "\n\u0006",
    "\u0008",
    "\u0010",
    "\u0018\u0003",
    "\n\u0010",
    "\u007f",
    "\0",
  ],
  seeds: () => [
    encodeMessage(BatchCreateLogsRequestSchema, {
      logSourceId: encodeUuid("01234567-89ab-cdef-0123-456789abcdef"),
      logs: [
        { createdAt: timestampFromMs(1_700_000_000_123), output: "one", level: 3 },
        { createdAt: timestampFromMs(-5), output: "déjà\0vu", level: 5 },
        { output: "" },
      ],
    }),
  ],
  check: (input) => {
    valueOf(() => readLines(input), ProtobufError);
    valueOf(() => parseLogRequest(input), ProtobufError, RpcError);
    const whole = valueOf(() => parseMessage(BatchCreateLogsRequestSchema, input), ProtobufError);
    if (whole === undefined) return;
    // The general reader accepts more: wrong wire types, malformed fields of later releases.
    const logs = whole.logs.map(({ createdAt, output, level }) => {
      if (createdAt === undefined) return { output, level };
      const { seconds, nanos } = createdAt;
      return { output, level, createdAt: { seconds, nanos } };
    });
    const lines = readLines(encodeMessage(BatchCreateLogsRequestSchema, { logs }));
    expectSame(
      "the lines",
      lines,
      logs.map(({ output }) => output),
    );
  },
};

function readLines(bytes: Uint8Array): readonly string[] {
  const lines: string[] = [];
  readLogBatch(bytes, (_createdNs, _level, start, end) => {
    lines.push(exactly(bytes.subarray(start, end)));
  });
  return lines;
}

/** Decodes the bytes, including a byte order mark if there is one. */
function exactly(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
