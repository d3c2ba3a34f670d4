import { joinBytes } from "@slipway/wire/bytes/join";
import type { DescMessage, MessageShape } from "@slipway/wire/protobuf/descriptors";
import { TimestampSchema, DurationSchema } from "@slipway/wire/protobuf/descriptors";
import { ProtobufError } from "@slipway/wire/protobuf/errors";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";
import { Tailnet } from "@slipway/wire/protobuf/gen/tailnet_pb";
import {
  createMessage,
  encodeMessage,
  parseKnownFields,
  parseMessage,
} from "@slipway/wire/protobuf/message";
import {
  durationToMs,
  durationToNs,
  timestampToMs,
  timestampToNs,
} from "@slipway/wire/protobuf/time";

import { expectSame, expectThat, valueOf } from "../expectations.ts";
import { recordedSessions } from "../recordings.ts";
import type { FuzzTarget } from "../target.ts";

/** Every request and response of both services, and the two times. */
const schemas: readonly DescMessage[] = [
  ...new Map(
    [...Agent.methods, ...Tailnet.methods]
      .flatMap(({ input, output }) => [input, output])
      .map((schema) => [schema.typeName, schema]),
  ).values(),
  TimestampSchema,
  DurationSchema,
];

/** The messages; the first byte selects one. A message that was read can be written, and reads back equal. */
export const messagesTarget: FuzzTarget = {
  name: "messages",
  maxBytes: 16 * 1024,
  maxMs: 100,
  words: ["\n", "\u0012", "\u001a", "\u0008", "\u0010", "\u0080\u0080", "\u0001", "\u007f"],
  seeds: () => [
    ...schemas.map((schema, at) =>
      joinBytes([Uint8Array.of(at), encodeMessage(schema, filled(schema, 3))]),
    ),
    ...recordedSessions("c").map((bytes) => bytes.subarray(0, 2048)),
  ],
  check: (input) => {
    const schema = schemas[(input[0] ?? 0) % schemas.length];
    if (schema === undefined) return;
    const message = valueOf(() => parseMessage(schema, input.subarray(1)), ProtobufError);
    if (message === undefined) return;
    const once = encodeMessage(schema, message);
    const twice = encodeMessage(schema, parseMessage(schema, once));
    expectSame(`${schema.typeName} written twice`, twice, once);
    const known = encodeMessage(schema, parseKnownFields(schema, once));
    expectThat(known.length <= once.length, "unknown fields are dropped");
    checkTime(input.subarray(1));
  },
};

function checkTime(bytes: Uint8Array): void {
  const timestamp = valueOf(() => parseMessage(TimestampSchema, bytes), ProtobufError);
  const duration = valueOf(() => parseMessage(DurationSchema, bytes), ProtobufError);
  expectThat(Number.isFinite(timestampToMs(timestamp)), "a timestamp is finite");
  expectThat(Number.isFinite(durationToMs(duration)), "a duration is finite");
  expectThat(typeof timestampToNs(timestamp) === "bigint", "a timestamp has nanoseconds");
  expectThat(typeof durationToNs(duration) === "bigint", "a duration has nanoseconds");
}

/** Makes a message with a value in each field, down to a depth. */
function filled(schema: DescMessage, depth: number): MessageShape<DescMessage> {
  const fields: Record<string, unknown> = {};
  for (const field of schema.fields) {
    if (field.oneof !== undefined || isWrapper(field)) continue;
    const value = sample(field, depth);
    if (value !== undefined) fields[field.localName] = value;
  }
  return createMessage(schema, fields);
}

/** Reports whether a field is a number wrapped in a message, which is written as the number. */
function isWrapper(field: DescMessage["fields"][number]): boolean {
  return field.message?.typeName.endsWith("Value") === true;
}

function sample(field: DescMessage["fields"][number], depth: number): unknown {
  switch (field.fieldKind) {
    case "scalar":
      return scalar(field.scalar);
    case "enum":
      return 1;
    case "message":
      return depth === 0 ? undefined : filled(field.message, depth - 1);
    case "list":
      if (field.listKind === "message")
        return depth === 0 ? [] : [filled(field.message, depth - 1)];
      return field.listKind === "enum" ? [1] : [scalar(field.scalar)];
    case "map":
      return {};
  }
}

/** Returns a value for a type number, as used in descriptors. */
function scalar(type: number): unknown {
  if (type === 9) return "text";
  if (type === 12) return new Uint8Array(16).fill(7);
  if (type === 8) return true;
  return [3, 4, 6, 16, 18].includes(type) ? 5n : 5;
}
