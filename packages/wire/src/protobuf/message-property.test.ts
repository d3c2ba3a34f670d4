import { createRegistry, ScalarType } from "@bufbuild/protobuf";
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, it } from "vitest";

import { ProtobufError } from "./errors.ts";
import { file_agent } from "./gen/agent_pb.ts";
import { file_tailnet } from "./gen/tailnet_pb.ts";
import { encodeMessage, parseMessage } from "./message.ts";

const registry = createRegistry(file_agent, file_tailnet);
const schemas = [...registry].filter((type) => type.kind === "message");

/** Generates a value of any of the field's types; `undefined` omits the field. */
function valueOf(field: DescField, depth: number): fc.Arbitrary<unknown> {
  switch (field.fieldKind) {
    case "scalar":
      return scalarOf(field.scalar);
    case "enum":
      return fc.constantFrom(...field.enum.values.map((value) => value.number), 99);
    case "message":
      return depth === 0 ? fc.constant(undefined) : submessageOf(field.message, depth - 1);
    case "list":
      return fc.array(itemOf(field, depth), { maxLength: 3 });
    case "map":
      return fc.dictionary(keyOf(field.mapKey), itemOf(field, depth), { maxKeys: 3 });
  }
}

function itemOf(
  field: DescField & { fieldKind: "list" | "map" },
  depth: number,
): fc.Arbitrary<unknown> {
  if (field.scalar !== undefined) return scalarOf(field.scalar);
  if (field.enum !== undefined)
    return fc.constantFrom(...field.enum.values.map((value) => value.number));
  return submessageOf(field.message, Math.max(depth - 1, 0));
}

function keyOf(type: ScalarType): fc.Arbitrary<string> {
  return type === ScalarType.STRING ? fc.string() : fc.integer({ min: 0 }).map(String);
}

const scalars: ReadonlyMap<ScalarType, fc.Arbitrary<unknown>> = new Map<
  ScalarType,
  fc.Arbitrary<unknown>
>([
  [ScalarType.BOOL, fc.boolean()],
  [ScalarType.STRING, fc.string({ unit: "grapheme" })],
  [ScalarType.BYTES, fc.uint8Array()],
  [ScalarType.DOUBLE, fc.double({ noNaN: true })],
  [ScalarType.FLOAT, fc.float({ noNaN: true })],
  [ScalarType.INT32, fc.integer()],
  [ScalarType.UINT32, fc.nat()],
  [ScalarType.INT64, fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)],
  [ScalarType.UINT64, fc.bigInt(0n, 2n ** 64n - 1n)],
]);

function scalarOf(type: ScalarType): fc.Arbitrary<unknown> {
  const scalar = scalars.get(type);
  if (scalar === undefined) throw new Error(`no values for the type ${ScalarType[type]}`);
  return scalar;
}

/** Wrappers are generated as their value, a Struct as JSON. */
function submessageOf(schema: DescMessage, depth: number): fc.Arbitrary<unknown> {
  switch (schema.typeName) {
    case "google.protobuf.BoolValue":
      return fc.boolean();
    case "google.protobuf.FloatValue":
      return fc.float({ noNaN: true });
    case "google.protobuf.Struct":
      return fc.dictionary(
        fc.string(),
        fc.oneof(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean()),
        { noNullPrototype: true },
      );
    default:
      return messageOf(schema, depth);
  }
}

function messageOf(schema: DescMessage, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const plain = schema.fields.filter((field) => field.oneof === undefined);
  const fields = Object.fromEntries(plain.map((field) => [field.localName, valueOf(field, depth)]));
  const choices = Object.fromEntries(
    schema.oneofs.map((oneof) => [
      oneof.localName,
      fc.oneof(
        ...oneof.fields.map((field) =>
          fc.record({ case: fc.constant(field.localName), value: messageField(field) }),
        ),
      ),
    ]),
  );
  return fc.record({ ...fields, ...choices }, { requiredKeys: [] });
}

function messageField(field: DescField): fc.Arbitrary<unknown> {
  return field.message === undefined ? fc.constant({}) : messageOf(field.message, 0);
}

it.each(schemas.map((schema) => [schema.typeName, schema] as const))(
  "reads back any %s",
  (_, schema) => {
    fc.assert(
      fc.property(messageOf(schema, 2), (fields) => {
        const bytes = encodeMessage(schema, fields);
        expect(encodeMessage(schema, parseMessage(schema, bytes))).toEqual(bytes);
      }),
      { numRuns: 20 },
    );
  },
);

it("raises only its own error for random bytes", () => {
  fc.assert(
    fc.property(fc.constantFrom(...schemas), fc.uint8Array({ maxLength: 200 }), (schema, bytes) => {
      try {
        parseMessage(schema, bytes);
        return true;
      } catch (error) {
        return error instanceof ProtobufError;
      }
    }),
    { numRuns: 2000 },
  );
});
