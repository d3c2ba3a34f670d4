import { randomUUID } from "node:crypto";

import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { afterAll, beforeAll, beforeEach, expect, inject, test } from "vitest";

import {
  type AppendResult,
  appendLogs,
  maxLogBytes,
  maxLogsPerRead,
  type NewLogLine,
  readLogs,
} from "../src/agents/log-store.ts";
import { seedAgent, type SeededBuild, seedBuild, seedWorkspace } from "./support/rows.ts";

const writers = 8;
const batchesOfEach = 25;

let database: TestDatabase;
let build: SeededBuild;
let agentId: string;
let sourceId: string;

beforeAll(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
  const place = await seedWorkspace(database.db);
  build = await seedBuild(database.db, place, { number: 1, transition: "start", job: "succeeded" });
});

beforeEach(async () => {
  // A name is for one live agent of a build.
  await database.db.updateTable("workspace_agents").set({ deleted: true }).execute();
  agentId = await seedAgent(database.db, build);
  sourceId = randomUUID();
});

afterAll(() => database[Symbol.asyncDispose]());

/** Lines with these outputs; their times follow each other from `firstNs`. */
function lines(firstNs: bigint, ...texts: string[]): readonly NewLogLine[] {
  return texts.map((output, index) => {
    const createdNs = firstNs === 0n ? 0n : firstNs + BigInt(index);
    return { createdNs, level: "info", output };
  });
}

function append(logs: readonly NewLogLine[], source = sourceId): Promise<AppendResult> {
  return appendLogs(database.db, { agentId, sourceId: source, lines: logs });
}

async function outputs(): Promise<readonly string[]> {
  return (await readLogs(database.db, agentId, { after: 0, before: undefined })).map(
    (log) => log.output,
  );
}

test("numbers the lines of 8 writers at once without a gap, in the order in which a reader sees them", async () => {
  const write = async (writer: number): Promise<void> => {
    const source = randomUUID();
    for (let batch = 0; batch < batchesOfEach; batch += 1) {
      const texts = Array.from(
        { length: 1 + (batch % 3) },
        (_, line) => `${writer} ${batch} ${line}`,
      );
      await append(lines(BigInt(1 + batch * 10), ...texts), source);
    }
  };
  let isWriting = true;
  const read = async (): Promise<readonly string[]> => {
    const seen: string[] = [];
    for (let isLast = false; !isLast;) {
      isLast = !isWriting;
      for (const log of await readLogs(database.db, agentId, {
        after: seen.length,
        before: undefined,
      })) {
        seen.push(log.output);
        // Each id is the one after the last that was seen: nothing turns up behind a reader's back.
        expect(log.id).toBe(seen.length);
      }
    }
    return seen;
  };
  const reading = read();
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  isWriting = false;
  const seen = await reading;
  const perWriter = Array.from({ length: batchesOfEach }, (_, batch) => 1 + (batch % 3));
  expect(seen).toHaveLength(writers * perWriter.reduce((sum, count) => sum + count, 0));
  for (let writer = 0; writer < writers; writer += 1) {
    const own = seen.filter((output) => output.startsWith(`${writer} `));
    const sent = perWriter.flatMap((count, batch) =>
      Array.from({ length: count }, (_, line) => `${writer} ${batch} ${line}`),
    );
    expect(own).toEqual(sent);
  }
});

test("stores a batch that is sent again once", async () => {
  const batch = lines(100n, "a", "b");
  expect(await append(batch)).toEqual({ type: "stored", lines: 2 });
  expect(await append(batch)).toEqual({ type: "stored", lines: 0 });
  expect(await outputs()).toEqual(["a", "b"]);
});

test("stores of a batch that is sent again with more lines behind only those", async () => {
  await append(lines(100n, "a", "b"));
  expect(await append(lines(100n, "a", "b", "c"))).toEqual({ type: "stored", lines: 1 });
  expect(await append(lines(100n, "a", "b", "c", "d"))).toEqual({ type: "stored", lines: 1 });
  expect(await outputs()).toEqual(["a", "b", "c", "d"]);
});

test("knows a batch again although another source wrote between", async () => {
  await append(lines(100n, "a"));
  await append(lines(100n, "other"), randomUUID());
  await append(lines(100n, "a"));
  expect(await outputs()).toEqual(["a", "other"]);
});

test("stores the same text again when its times are others, or none", async () => {
  for (const firstNs of [100n, 200n, 0n, 0n]) await append(lines(firstNs, "tick"));
  expect(await outputs()).toEqual(["tick", "tick", "tick", "tick"]);
});

test("stores one copy of a batch that two connections bring at once", async () => {
  const batch = lines(100n, "a", "b");
  await Promise.all(Array.from({ length: 6 }, () => append(batch)));
  expect(await outputs()).toEqual(["a", "b"]);
});

test("takes an agent's log up to the limit and says once that it is full", async () => {
  const half = "x".repeat(maxLogBytes / 2);
  expect(await append(lines(100n, half))).toMatchObject({ type: "stored" });
  expect(await append(lines(200n, half))).toMatchObject({ type: "stored" });
  expect(await append(lines(200n, half))).toEqual({ type: "stored", lines: 0 });
  expect(await append(lines(300n, "y"))).toEqual({ type: "overflowed", isFirst: true });
  expect(await append(lines(400n, "z"))).toEqual({ type: "overflowed", isFirst: false });
  expect(await outputs()).toHaveLength(2);
});

test("keeps 1,024 characters of a line and marks what is no text", async () => {
  await append(lines(100n, "ä".repeat(2000), "a\0b\uFFFDc", `${"x".repeat(1023)}\u{1F4A1}`));
  const [long, marked, cut] = await outputs();
  expect(long).toBe("ä".repeat(1024));
  expect(marked).toBe("a❌b❌c");
  // A character that the limit cuts in two is no text any more.
  expect(cut).toBe(`${"x".repeat(1023)}\uFFFD`);
});

test("reads a long log in parts", async () => {
  const texts = Array.from({ length: maxLogsPerRead + 1 }, (_, index) => String(index));
  await append(lines(100n, ...texts));
  expect(await outputs()).toHaveLength(maxLogsPerRead);
  expect(
    await readLogs(database.db, agentId, { after: maxLogsPerRead, before: undefined }),
  ).toMatchObject([
    { id: maxLogsPerRead + 1, output: String(maxLogsPerRead), source_id: sourceId, level: "info" },
  ]);
});

test("reads only what lies between two ids", async () => {
  await append(lines(100n, "one", "two", "three", "four"));
  const between = await readLogs(database.db, agentId, { after: 1, before: 4 });
  expect(between.map((log) => log.output)).toEqual(["two", "three"]);
});
