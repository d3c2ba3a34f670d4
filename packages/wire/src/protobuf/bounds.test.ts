import fc from "fast-check";
import { expect, it } from "vitest";

import { boundsCheck } from "./bounds.ts";
import { ProtobufError } from "./errors.ts";
import { Startup_Subsystem, StartupSchema, UpdateStatsRequestSchema } from "./gen/agent_pb.ts";
import { encodeMessage, parseMessage } from "./message.ts";

const bounds = {
  "coder.agent.v2.Startup": { version: { maxBytes: 3 }, subsystems: { maxCount: 2 } },
  "coder.agent.v2.Stats": {
    connections_by_proto: { maxCount: 2, maxBytes: 4 },
    metrics: { maxCount: 2 },
  },
  "coder.agent.v2.Stats.Metric": { name: { maxBytes: 3 }, labels: { maxCount: 1 } },
};
const checkStartup = boundsCheck(StartupSchema, bounds);
const checkStats = boundsCheck(UpdateStatsRequestSchema, bounds);

const stats = (fields: object) => encodeMessage(UpdateStatsRequestSchema, { stats: fields });
const metric = { name: "abc", labels: [{ name: "any length", value: "" }] };

it("passes what is within its bounds, and what has none", () => {
  const { ENVBOX, EXECTRACE } = Startup_Subsystem;
  const expandedDirectory = "x".repeat(10_000);
  const startup = { version: "abc", expandedDirectory, subsystems: [ENVBOX, EXECTRACE] };
  expect(checkStartup(encodeMessage(StartupSchema, startup))).toBeUndefined();
  const full = { connectionsByProto: { TCP: 1n, UDP6: 2n }, metrics: [metric, metric] };
  expect(checkStats(stats(full))).toBeUndefined();
});

it.each([
  ["a text", stats({ metrics: [{ name: "abcd" }] }), "stats.metrics.name", 4, "bytes"],
  ["a list", stats({ metrics: [metric, metric, metric] }), "stats.metrics", 3, "entries"],
  [
    "a map",
    stats({ connectionsByProto: { a: 1n, b: 1n, c: 1n } }),
    "stats.connections_by_proto",
    3,
    "entries",
  ],
  [
    "a key",
    stats({ connectionsByProto: { "5 is a": 1n } }),
    "stats.connections_by_proto.key",
    6,
    "bytes",
  ],
  ["a message that comes twice", Buffer.concat([stats({}), stats({})]), "stats", 2, "entries"],
] as const)("tells of %s beyond its bound", (_what, bytes, path, found, unit) => {
  expect(checkStats(bytes)).toMatchObject({ path, found, unit });
});

it("counts numbers that are packed and such that are not", () => {
  const excess = { path: "subsystems", found: 3, max: 2, unit: "entries" };
  // 1, 300 and 2.
  expect(checkStartup(Uint8Array.of(0x1a, 4, 1, 0xac, 2, 2))).toEqual(excess);
  expect(checkStartup(Uint8Array.of(0x18, 1, 0x18, 1, 0x18, 1))).toEqual(excess);
});

it("tells of more fields than any peer sends", () => {
  // Field 100, a number.
  const bytes = Buffer.alloc(3 * 100_001, Buffer.from([0xa0, 0x06, 0]));
  expect(checkStartup(bytes)).toMatchObject({ unit: "fields", max: 100_000 });
});

it("refuses known fields of another wire type, which the reader of messages takes", () => {
  const inner = stats({ metrics: Array.from({ length: 40 }, () => ({})) }).subarray(2);
  // The field `stats` as a number, whose bytes look like further fields.
  const hidden = Buffer.concat([Uint8Array.of(0x08, inner.length), inner]);
  expect(parseMessage(UpdateStatsRequestSchema, hidden).stats?.metrics).toHaveLength(40);
  expect(() => checkStats(hidden)).toThrow("stats has wire type 0, wanted 2");
  expect(() => checkStartup(Uint8Array.of(0x08, 1))).toThrow("version has wire type 0, wanted 2");
  expect(() => checkStartup(Uint8Array.of(0x1d, 1, 1, 1, 1))).toThrow("subsystems has wire type 5");
});

/** Stats whose lists are often too long, with some of their bytes changed. */
const changedStats = fc
  .record({
    metrics: fc.array(fc.record({ name: fc.string({ maxLength: 5 }) }), { maxLength: 5 }),
    connectionsByProto: fc.dictionary(fc.string({ maxLength: 5 }), fc.bigInt(0n, 300n), {
      maxKeys: 4,
    }),
    changes: fc.array(fc.record({ at: fc.nat(80), byte: fc.nat(255) }), { maxLength: 3 }),
  })
  .map(({ metrics, connectionsByProto, changes }) => {
    const bytes = Uint8Array.from(stats({ metrics, connectionsByProto }));
    for (const { at, byte } of changes) if (at < bytes.length) bytes[at] = byte;
    return bytes;
  });

function isWithinBounds(bytes: Uint8Array): boolean {
  const { stats: read } = parseMessage(UpdateStatsRequestSchema, bytes);
  const names = read?.metrics.map(({ name }) => name) ?? [];
  const keys = Object.keys(read?.connectionsByProto ?? {});
  const isShort = (text: string, max: number) => Buffer.byteLength(text) <= max;
  return (
    names.length <= 2 &&
    keys.length <= 2 &&
    names.every((name) => isShort(name, 3)) &&
    keys.every((key) => isShort(key, 4))
  );
}

/** Returns undefined for bytes that are not a message. */
function unlessMalformed<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof ProtobufError) return undefined;
    throw error;
  }
}

it("lets nothing through that the reader of messages finds beyond a bound", () => {
  fc.assert(
    fc.property(fc.oneof(changedStats, fc.uint8Array({ maxLength: 40 })), (bytes) => {
      const passes = unlessMalformed(() => checkStats(bytes) === undefined) ?? false;
      const isRead = unlessMalformed(() => isWithinBounds(bytes)) ?? true;
      expect(!passes || isRead).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});
