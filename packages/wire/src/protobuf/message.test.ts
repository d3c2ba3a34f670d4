import { readFileSync } from "node:fs";
import { join } from "node:path";

import { createRegistry, fromJson, toJson } from "@bufbuild/protobuf";
import type { DescMessage, JsonValue } from "@bufbuild/protobuf";
import { expect, it } from "vitest";

import { encodeHex, parseHex } from "../bytes/hex.ts";
import { ProtobufError } from "./errors.ts";
import {
  Lifecycle_State,
  StartupSchema,
  LifecycleSchema,
  TimingSchema,
  file_agent,
} from "./gen/agent_pb.ts";
import { DERPMap_Region_NodeSchema, NodeSchema, file_tailnet } from "./gen/tailnet_pb.ts";
import { encodeMessage, parseMessage } from "./message.ts";

interface Vector {
  readonly name: string;
  readonly message: string;
  readonly hex: string;
  readonly json: JsonValue;
}

const vectors: readonly Vector[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../../vectors/protobuf.json"), "utf8"),
);
const registry = createRegistry(file_agent, file_tailnet);

function schemaOf(name: string): DescMessage {
  const schema = registry.getMessage(name);
  if (schema === undefined) throw new Error(`no message ${name}`);
  return schema;
}

it.each(vectors)("reads and writes the vector: $name", ({ message, hex, json }) => {
  const schema = schemaOf(message);
  expect(toJson(schema, parseMessage(schema, parseHex(hex)))).toEqual(json);
  expect(encodeHex(encodeMessage(schema, fromJson(schema, json)))).toBe(hex);
});

it.each(vectors)(
  "raises only its own error for a part of the vector: $name",
  ({ message, hex }) => {
    const schema = schemaOf(message);
    const bytes = parseHex(hex);
    for (let length = 0; length < bytes.length; length += 1) {
      // A message may also end between two fields.
      expect(errorsOf(() => parseMessage(schema, bytes.subarray(0, length)))).toEqual([]);
    }
  },
);

it("reads enums packed and unpacked", () => {
  for (const hex of ["1a020103", "18011803"]) {
    expect(parseMessage(StartupSchema, parseHex(hex)).subsystems).toEqual([1, 3]);
  }
});

it("keeps an enum number and a field that this release does not know", () => {
  const hex = "0863a20603414243";
  const message = parseMessage(LifecycleSchema, parseHex(hex));
  expect(message.state).toBe(99);
  expect(encodeHex(encodeMessage(LifecycleSchema, message))).toBe(hex);
});

it("refuses a string that is not UTF-8", () => {
  expect(() => parseMessage(StartupSchema, parseHex("0a01ff"))).toThrow(
    expect.objectContaining({ name: "ProtobufError", code: "malformed-message" }),
  );
});

it("refuses to write a number out of range", () => {
  expect(() => encodeMessage(TimingSchema, { exitCode: 2 ** 31 })).toThrow(
    expect.objectContaining({ name: "ProtobufError", code: "invalid-message" }),
  );
});

it("leaves out zeros and sends -1 in ten bytes", () => {
  expect(encodeHex(encodeMessage(DERPMap_Region_NodeSchema, { stunPort: 0, name: "" }))).toBe("");
  expect(encodeMessage(DERPMap_Region_NodeSchema, { stunPort: -1 })).toHaveLength(11);
});

it("keeps the full range of int64", () => {
  const id = -(2n ** 63n);
  expect(parseMessage(NodeSchema, encodeMessage(NodeSchema, { id })).id).toBe(id);
});

it("names enum values without their prefix", () => {
  expect(Lifecycle_State.READY).toBe(5);
});

/** Returns the errors of `action` other than `ProtobufError`. */
function errorsOf(action: () => unknown): readonly unknown[] {
  try {
    action();
    return [];
  } catch (error) {
    return error instanceof ProtobufError ? [] : [error];
  }
}
