import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type {
  BinaryReadOptions,
  DescMessage,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";

import { ProtobufError } from "./errors.ts";

/** Creates a message with the given fields set and the others at their defaults. */
export function createMessage<Desc extends DescMessage>(
  schema: Desc,
  fields?: MessageInitShape<Desc>,
): MessageShape<Desc> {
  return create(schema, fields);
}

/** Encodes a message, or one made from `fields`. Throws `ProtobufError` "invalid-message" for a value out of range. */
export function encodeMessage<Desc extends DescMessage>(
  schema: Desc,
  fields: MessageInitShape<Desc>,
): Uint8Array {
  try {
    return toBinary(schema, create(schema, fields));
  } catch (error) {
    throw new ProtobufError("invalid-message", `${schema.typeName}: ${textOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * Parses the message in `bytes`; its `bytes` fields are views. Fields of later releases are kept. Throws
 * `ProtobufError` "malformed-message", also for strings that are not UTF-8.
 */
export function parseMessage<Desc extends DescMessage>(
  schema: Desc,
  bytes: Uint8Array,
): MessageShape<Desc> {
  return parse(schema, bytes, {});
}

/**
 * Does the same without unknown fields: for a server, which would otherwise keep and echo anything that a peer puts
 * into them.
 */
export function parseKnownFields<Desc extends DescMessage>(
  schema: Desc,
  bytes: Uint8Array,
): MessageShape<Desc> {
  return parse(schema, bytes, { readUnknownFields: false });
}

function parse<Desc extends DescMessage>(
  schema: Desc,
  bytes: Uint8Array,
  options: Partial<BinaryReadOptions>,
): MessageShape<Desc> {
  try {
    return fromBinary(schema, bytes, options);
  } catch (error) {
    throw new ProtobufError("malformed-message", `${schema.typeName}: ${textOf(error)}`, {
      cause: error,
    });
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
