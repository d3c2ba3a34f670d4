import fc from "fast-check";
import { expect, test } from "vitest";

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

test("passes what is within its bounds, and what has none", () => {
  const { ENVBOX, EXECTRACE } = Startup_Subsystem;
  const expandedDirectory = "x".repeat(10_000);
  const startup = { version: "abc", expandedDirectory, subsystems: [ENVBOX, EXECTRACE] };
  expect(checkStartup(encodeMessage(StartupSchema, startup))).toBeUndefined();
  const full = { connectionsByProto: { TCP: 1n, UDP6: 2n }, metrics: [metric, metric] };
  expect(checkStats(stats(full))).toBeUndefined();
});

test.each([
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

test("counts numbers that are packed and such that are not", () => {
  const excess = { path: "subsystems", found: 3, max: 2, unit: "entries" };
  // 1, 300 and 2.
  expect(checkStartup(Uint8Array.of(0x1a, 4, 1, 0xac, 2, 2))).toEqual(excess);
  expect(checkStartup(Uint8Array.of(0x18, 1, 0x18, 1, 0x18, 1))).toEqual(excess);
});

test("tells of more fields than any peer sends", () => {
  // Field 100, a number.
  const bytes = Buffer.alloc(3 * 100_001, Buffer.from([0xa0, 0x06, 0]));
  expect(checkStartup(bytes)).toMatchObject({ unit: "fields", max: 100_000 });
});

function errorOf(action: () => unknown): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    return error;
  }
}

test("takes or refuses random bytes as the reader of messages does, but for what comes twice", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const error = errorOf(() => checkStats(bytes));
      const read = errorOf(() => parseMessage(UpdateStatsRequestSchema, bytes));
      // What it refuses, the reader refuses too.
      expect([error, read]).toSatisfy(
        () =>
          error === undefined || (error instanceof ProtobufError && read instanceof ProtobufError),
      );
    }),
    { numRuns: 2_000 },
  );
});
