import { ProtobufError } from "@slipway/wire/protobuf/errors";
import { StatusResponseSchema } from "@slipway/wire/protobuf/gen/buildkit_pb";
import { encodeMessage } from "@slipway/wire/protobuf/message";
import fc from "fast-check";
import { expect, it } from "vitest";

import { BuildKitTrace } from "./buildkit-trace.ts";

const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const time = { seconds: 1n, nanos: 0 };

type Status = Parameters<typeof encodeMessage<typeof StatusResponseSchema>>[1];

function readAll(statuses: readonly Status[]): readonly string[] {
  const trace = new BuildKitTrace();
  const parts = statuses.flatMap((status) => [
    ...trace.read(encodeMessage(StatusResponseSchema, status)),
  ]);
  return parts.map((part) => ("text" in part ? part.text : `${part.layer}: ${part.state}`));
}

function step(
  digest: string,
  fields: { readonly cached?: boolean; readonly completed?: typeof time } = {},
): Status {
  return { vertexes: [{ digest, name: encode(`[${digest}] RUN`), started: time, ...fields }] };
}

function output(vertex: string, text: string): Status {
  return { logs: [{ vertex, msg: encode(text) }] };
}

it("writes the name of a step once, and again when other output came between", () => {
  const waiting = { vertexes: [{ digest: "b", name: encode("[b] RUN") }] };
  const statuses = [
    waiting,
    step("a"),
    step("a"),
    output("a", "one\n"),
    step("b", { cached: true }),
    output("a", "two\n"),
    output("unknown", "nothing\n"),
  ];
  expect(readAll(statuses)).toEqual(["[a] RUN", "one\n", "[b] RUN (cached)", "[a] RUN", "two\n"]);
});

it("joins output that is cut anywhere", () => {
  const bytes = encode("größe\nlast");
  fc.assert(
    fc.property(fc.integer({ min: 0, max: bytes.length }), (at) => {
      const parts = [bytes.subarray(0, at), bytes.subarray(at)].map((msg) => ({
        logs: [{ vertex: "a", msg }],
      }));
      const lines = readAll([step("a"), ...parts, step("a", { completed: time })]);
      expect(lines.join("")).toBe("[a] RUNgröße\nlast");
      expect(lines.at(-1)).toBe("last");
    }),
  );
});

it("cuts a line that does not end", () => {
  const lines = readAll([step("a"), ...Array<Status>(100).fill(output("a", "x".repeat(1_000)))]);
  expect(lines.join("").length).toBeGreaterThan(90_000);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(10_000);
});

it("returns the states of layers, warnings and what is not UTF-8", () => {
  const warnings = [{ short: encode("use a tag") }];
  const bytes = Uint8Array.from([0x61, 0xff]);
  const statuses = [
    { id: encode("sha256:0f"), name: encode("extracting") },
    { id: bytes, name: encode("resolve"), completed: time },
  ];
  expect(readAll([{ statuses, warnings }])).toEqual([
    "sha256:0f: extracting",
    "a\u{fffd}: done",
    "warning: use a tag",
  ]);
});

it("rejects other bytes with its own error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(["ok", "malformed-message"]).toContain(outcomeOf(bytes));
    }),
  );
});

function outcomeOf(bytes: Uint8Array): unknown {
  try {
    Array.from(new BuildKitTrace().read(bytes));
    return "ok";
  } catch (error) {
    return error instanceof ProtobufError ? error.code : error;
  }
}
