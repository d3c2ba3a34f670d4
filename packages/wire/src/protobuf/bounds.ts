import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";

import { ProtobufError } from "./errors.ts";
import { FieldReader, wireType } from "./field-reader.ts";

/** The bound of one field of a message. */
export interface FieldBound {
  /** The maximum number of entries of a repeated field or a map. */
  readonly maxCount?: number;
  /** The maximum length of the text or bytes, of each entry if there are several, and of the keys of maps. In bytes. */
  readonly maxBytes?: number;
}

/** Bounds by the full name of the message and the name of the field in its `.proto` file. */
export type MessageBounds = Readonly<Record<string, Readonly<Record<string, FieldBound>>>>;

/** The first part of a message that exceeds its bound. */
export interface BoundExcess {
  /** The field with the names of the enclosing messages, such as `stats.metrics`. */
  readonly path: string;
  readonly found: number;
  readonly max: number;
  readonly unit: "entries" | "bytes" | "fields";
}

/** The maximum number of fields of a message and everything in it, known or not: peers never send that many. */
const maxFields = 100_000;

/**
 * Creates a check that bounds the encoded messages of a schema before they are parsed: a few bytes of a repeated
 * message become a hundred in memory. A field that is not repeated may occur once. Omitted bounds are unlimited. The
 * check throws `ProtobufError` for malformed messages, and for a known field of another wire type, which the parser
 * would accept: its content would be parsed unchecked.
 */
export function boundsCheck(
  schema: DescMessage,
  bounds: MessageBounds,
): (bytes: Uint8Array) => BoundExcess | undefined {
  const rule = messageRule(schema, bounds, new Map());
  return (bytes) => {
    const walk: WalkState = { reader: new FieldReader(bytes), fields: 0, excess: undefined };
    walkMessage(walk, rule, bytes.length, "");
    return walk.excess;
  };
}

interface FieldRule {
  readonly name: string;
  readonly maxCount: number;
  readonly maxBytes: number;
  /** The wire types of its values: a list of numbers may also be packed. */
  readonly wireTypes: readonly number[];
  /** The content after a length: text, a message, or consecutive numbers. */
  readonly content: "text" | "numbers" | MessageRule;
}

interface MessageRule {
  readonly fields: Map<number, FieldRule>;
}

function messageRule(
  schema: DescMessage,
  bounds: MessageBounds,
  known: Map<DescMessage, MessageRule>,
): MessageRule {
  const found = known.get(schema);
  if (found !== undefined) return found;
  const message: MessageRule = { fields: new Map() };
  known.set(schema, message);
  for (const field of schema.fields) {
    const bound = bounds[schema.typeName]?.[field.name] ?? {};
    const content = contentOf(field, bound, (inner) => messageRule(inner, bounds, known));
    const isSingle = field.fieldKind !== "list" && field.fieldKind !== "map";
    message.fields.set(field.number, {
      name: field.name,
      maxCount: isSingle ? 1 : (bound.maxCount ?? Infinity),
      maxBytes: bound.maxBytes ?? Infinity,
      wireTypes: wireTypesOf(field),
      content,
    });
  }
  return message;
}

function contentOf(
  field: DescField,
  bound: FieldBound,
  messageOf: (schema: DescMessage) => MessageRule,
): FieldRule["content"] {
  if (field.fieldKind === "map") {
    const part = { maxCount: 1, maxBytes: bound.maxBytes ?? Infinity };
    const key = { ...part, name: "key", wireTypes: [scalarWireType(field.mapKey)] };
    const value = { ...part, name: "value", wireTypes: [wireTypeOfValue(field)] };
    const content = field.message === undefined ? "text" : messageOf(field.message);
    return {
      fields: new Map([
        [1, { ...key, content: "text" }],
        [2, { ...value, content }],
      ]),
    };
  }
  if (field.message !== undefined) return messageOf(field.message);
  const isText = field.scalar === ScalarType.STRING || field.scalar === ScalarType.BYTES;
  return isText ? "text" : "numbers";
}

function wireTypesOf(field: DescField): readonly number[] {
  if (field.fieldKind === "map") return [wireType.bytes];
  const one = wireTypeOfValue(field);
  return field.fieldKind === "list" && one !== wireType.bytes ? [one, wireType.bytes] : [one];
}

/** Returns the wire type of a field's value, also if it is in a list or a map. */
function wireTypeOfValue({ message, scalar }: DescField): number {
  if (message !== undefined) return wireType.bytes;
  return scalar === undefined ? wireType.varint : scalarWireType(scalar);
}

function scalarWireType(scalar: ScalarType): number {
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return wireType.bytes;
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return wireType.fixed64;
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return wireType.fixed32;
    case ScalarType.INT32:
    case ScalarType.INT64:
    case ScalarType.UINT32:
    case ScalarType.UINT64:
    case ScalarType.SINT32:
    case ScalarType.SINT64:
    case ScalarType.BOOL:
      return wireType.varint;
  }
}

interface WalkState {
  readonly reader: FieldReader;
  fields: number;
  excess: BoundExcess | undefined;
}

function walkMessage(walk: WalkState, message: MessageRule, end: number, path: string): void {
  const { reader } = walk;
  const counts = new Map<FieldRule, number>();
  while (reader.at < end && walk.excess === undefined) {
    walk.fields += 1;
    if (walk.fields > maxFields) {
      walk.excess = { path, found: walk.fields, max: maxFields, unit: "fields" };
      return;
    }
    const tag = reader.varint(end);
    const field = message.fields.get(Math.floor(tag / 8));
    if (field === undefined) {
      reader.skip(tag, end);
      continue;
    }
    const hasLength = tag % 8 === wireType.bytes;
    if (!field.wireTypes.includes(tag % 8)) {
      const wanted = field.wireTypes.join(" or ");
      const text = `${path}${field.name} has wire type ${tag % 8}, wanted ${wanted}`;
      throw new ProtobufError("malformed-message", text);
    }
    const valueEnd = hasLength ? reader.length(end) : end;
    const isPacked = hasLength && field.content === "numbers";
    const entries = (counts.get(field) ?? 0) + (isPacked ? reader.countVarints(valueEnd) : 1);
    counts.set(field, entries);
    if (entries > field.maxCount) {
      const at = `${path}${field.name}`;
      walk.excess = { path: at, found: entries, max: field.maxCount, unit: "entries" };
      return;
    }
    if (!hasLength) {
      reader.skip(tag, end);
    } else {
      walkValue(walk, field, valueEnd, path);
      reader.at = valueEnd;
    }
  }
}

function walkValue(walk: WalkState, field: FieldRule, end: number, path: string): void {
  if (field.content === "numbers") return;
  const at = `${path}${field.name}`;
  if (field.content !== "text") return walkMessage(walk, field.content, end, `${at}.`);
  const found = end - walk.reader.at;
  if (found <= field.maxBytes) return;
  walk.excess = { path: at, found, max: field.maxBytes, unit: "bytes" };
}
