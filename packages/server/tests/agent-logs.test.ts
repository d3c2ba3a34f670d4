import { randomUUID } from "node:crypto";

import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, inject, it } from "vitest";

import { type NewLogLine, packLines } from "../src/features/agents/logs/log-lines.ts";
import {
  type AppendResult,
  appendLogs,
  gapText,
  type LogLimits,
  maxLogBytes,
  maxLogsPerRead,
  readLogs,
} from "../src/features/agents/logs/log-store.ts";
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
  // A name is unique among the live agents of a build.
  await database.db.updateTable("workspace_agents").set({ deleted: true }).execute();
  agentId = await seedAgent(database.db, build);
  sourceId = randomUUID();
});

afterAll(() => database[Symbol.asyncDispose]());

/** Returns lines with these outputs, at consecutive times from `firstNs`. */
function lines(firstNs: bigint, ...texts: string[]): readonly NewLogLine[] {
  return texts.map((output, index) => {
    const createdNs = firstNs === 0n ? 0n : firstNs + BigInt(index);
    return { createdNs, level: "info", output };
  });
}

function append(logs: readonly NewLogLine[], source = sourceId): Promise<AppendResult | undefined> {
  return appendLogs(database.db, { agentId, sourceId: source, lines: packLines(logs) });
}

async function outputs(): Promise<readonly string[]> {
  return (await readLogs(database.db, agentId, { after: 0, before: undefined })).map(
    (log) => log.output,
  );
}

it("numbers the lines of 8 writers at once without a gap, in the order in which a reader sees them", async () => {
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
        // Each id follows the last one seen: no line appears behind a reader's back.
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

it("stores a batch that is sent again once", async () => {
  const batch = lines(100n, "a", "b");
  expect(await append(batch)).toEqual({ isFirstLoss: false, lines: 2 });
  expect(await append(batch)).toEqual({ isFirstLoss: false, lines: 0 });
  expect(await outputs()).toEqual(["a", "b"]);
});

it("stores of a batch that is sent again with more lines behind only those", async () => {
  await append(lines(100n, "a", "b"));
  expect(await append(lines(100n, "a", "b", "c"))).toEqual({ isFirstLoss: false, lines: 1 });
  expect(await append(lines(100n, "a", "b", "c", "d"))).toEqual({ isFirstLoss: false, lines: 1 });
  expect(await outputs()).toEqual(["a", "b", "c", "d"]);
});

it("knows a batch again although another source wrote between", async () => {
  await append(lines(100n, "a"));
  await append(lines(100n, "other"), randomUUID());
  await append(lines(100n, "a"));
  expect(await outputs()).toEqual(["a", "other"]);
});

it("stores the same text again when its times are others, or none", async () => {
  for (const firstNs of [100n, 200n, 0n, 0n]) await append(lines(firstNs, "tick"));
  expect(await outputs()).toEqual(["tick", "tick", "tick", "tick"]);
});

it("stores one copy of a batch that two connections bring at once", async () => {
  const batch = lines(100n, "a", "b");
  await Promise.all(Array.from({ length: 6 }, () => append(batch)));
  expect(await outputs()).toEqual(["a", "b"]);
});

async function position() {
  return database.db
    .selectFrom("workspace_agent_log_positions")
    .where("workspace_agent_id", "=", agentId)
    .selectAll()
    .executeTakeFirstOrThrow();
}

/** Returns the ids of the stored lines. */
async function keptIds(): Promise<readonly number[]> {
  const rows = await database.db
    .selectFrom("workspace_agent_logs")
    .where("workspace_agent_id", "=", agentId)
    .orderBy("id")
    .select("id")
    .execute();
  return rows.map(({ id }) => id);
}

/** Lines have ten bytes each, so each half of this log has ten lines and a step is two. */
const small: LogLimits = { half: 100, step: 20 };

function appendSmall(...numbers: readonly number[]): Promise<AppendResult | undefined> {
  const texts = numbers.map((number) => String(number).padStart(10, "0"));
  const logs = lines(BigInt(1 + (numbers[0] ?? 0)), ...texts);
  return appendLogs(database.db, { agentId, sourceId, lines: packLines(logs) }, small);
}

const upTo = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

it("keeps an agent's log whole up to the limit", async () => {
  const kibibyte = "x".repeat(1024);
  const count = maxLogBytes / 1024;
  const batch = lines(100n, ...Array.from({ length: count }, () => kibibyte));
  expect(await append(batch)).toEqual({ isFirstLoss: false, lines: count });
  expect(await append(batch)).toEqual({ isFirstLoss: false, lines: 0 });
  expect(await keptIds()).toHaveLength(count);
  expect(await position()).toMatchObject({ logs_length: maxLogBytes, overflowed: false });
});

it("keeps the first half and the newest lines of a log past the limit and says what is missing", async () => {
  const kibibyte = "x".repeat(1024);
  for (let batch = 0; batch < 30; batch += 1) {
    await append(lines(BigInt(1 + batch * 100), ...Array.from({ length: 100 }, () => kibibyte)));
  }
  const kept = await keptIds();
  expect(kept.slice(0, 512)).toEqual(upTo(1, 512));
  expect(kept.at(-1)).toBe(3000);
  // The tail is trimmed by 32 lines at a time.
  expect(kept.length).toBeGreaterThan(1024 - 33);
  expect(kept.length).toBeLessThanOrEqual(1024);
  expect(await position()).toMatchObject({ logs_length: kept.length * 1024, overflowed: true });
  const [gap] = await readLogs(database.db, agentId, { after: 512, before: undefined });
  const missing = 3000 - kept.length;
  expect(gap).toMatchObject({ id: 512 + missing, level: "warn", output: gapText(missing) });
  expect(gap?.output).toBe("… 2,008 lines are not kept …");
});

it("shows one line in the place of those that are not kept, wherever a reader stands", async () => {
  for (let number = 1; number <= 30; number += 1) await appendSmall(number);
  const { tail_first_id: tailFirst } = await position();
  const read = async (after: number, before?: number) =>
    (await readLogs(database.db, agentId, { after, before })).map(({ id, output }) => ({
      id,
      output,
    }));
  const line = (id: number) => ({ id, output: String(id).padStart(10, "0") });
  const gap = (id: number, missing: number) => ({ id, output: gapText(missing) });
  expect(tailFirst).toBe(23);
  const tail = upTo(23, 30).map(line);
  expect(await read(0)).toEqual([...upTo(1, 10).map(line), gap(22, 12), ...tail]);
  expect(await read(10)).toEqual([gap(22, 12), ...tail]);
  expect(await read(15)).toEqual([gap(22, 7), ...tail]);
  expect(await read(21)).toEqual([{ id: 22, output: "… 1 line is not kept …" }, ...tail]);
  expect(await read(22)).toEqual(tail);
  expect(await read(30)).toEqual([]);
  expect(await read(8, 16)).toEqual([line(9), line(10), gap(15, 5)]);
  expect(await read(8, 11)).toEqual([line(9), line(10)]);
});

it("says once that lines are lost, and takes the next ones", async () => {
  expect(await appendSmall(...upTo(1, 20))).toEqual({ lines: 20, isFirstLoss: false });
  expect(await appendSmall(21)).toEqual({ lines: 1, isFirstLoss: true });
  expect(await appendSmall(...upTo(22, 40))).toEqual({ lines: 19, isFirstLoss: false });
  expect(await appendSmall(...upTo(22, 40))).toEqual({ lines: 0, isFirstLoss: false });
  expect(await keptIds()).toEqual([...upTo(1, 10), ...upTo(31, 40)]);
});

it("keeps of a batch that is larger than the log its first and its newest lines", async () => {
  expect(await appendSmall(...upTo(1, 1000))).toEqual({ lines: 1000, isFirstLoss: true });
  expect(await keptIds()).toEqual([...upTo(1, 10), ...upTo(991, 1000)]);
  expect(await position()).toMatchObject({ last_id: 1000, logs_length: 200, tail_length: 100 });
});

it("counts an empty line too, so that a log of nothing else is bounded", async () => {
  const texts = Array.from({ length: 200 }, () => "");
  const logs = { agentId, sourceId, lines: packLines(lines(1n, ...texts)) };
  await appendLogs(database.db, logs, small);
  expect(await keptIds()).toEqual([...upTo(1, 25), ...upTo(176, 200)]);
});

it("never lets a follower miss or repeat a kept line, whoever writes and however often it connects anew", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 }), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 }),
      async (writerBatches, followerPages) => {
        await database.db.updateTable("workspace_agents").set({ deleted: true }).execute();
        agentId = await seedAgent(database.db, build);
        let isWriting = true;
        const write = async (sizes: readonly number[]): Promise<void> => {
          const source = randomUUID();
          let next = 1;
          for (const size of sizes) {
            const texts = Array.from({ length: size }, (_, index) => `line ${next + index}`);
            const packed = packLines(lines(BigInt(next), ...texts));
            const batch = { agentId, sourceId: source, lines: packed };
            await appendLogs(database.db, batch, small);
            next += size;
          }
        };
        // Resumes after the last id that it read, like a client that is disconnected halfway.
        const follow = async (page: number): Promise<readonly number[]> => {
          const seen: number[] = [];
          let last = 0;
          for (let isLast = false; !isLast;) {
            const wasWriting = isWriting;
            const range = { after: last, before: undefined };
            const logs = (await readLogs(database.db, agentId, range)).slice(0, page);
            for (const { id, output } of logs) {
              const isGap = output.startsWith("…");
              // A line follows the last one, and a gap counts exactly the lines in between.
              expect(isGap ? output : id).toBe(isGap ? gapText(id - last) : last + 1);
              if (!isGap) seen.push(id);
              last = id;
            }
            isLast = !wasWriting && logs.length === 0;
          }
          return seen;
        };
        const following = followerPages.map(follow);
        await Promise.all(writerBatches.map(write));
        isWriting = false;
        const kept = await keptIds();
        const total = writerBatches.flat().reduce((sum, size) => sum + size, 0);
        expect((await position()).last_id).toBe(total);
        for (const seen of await Promise.all(following)) {
          const unique = new Set(seen);
          expect(unique.size).toBe(seen.length);
          expect(kept.filter((id) => !unique.has(id))).toEqual([]);
        }
      },
    ),
    { numRuns: 40 },
  );
});

it("keeps 1,024 characters of a line and marks what is no text", async () => {
  await append(lines(100n, "ä".repeat(2000), "a\0b\uFFFDc", `${"x".repeat(1023)}\u{1F4A1}`));
  const [long, marked, cut] = await outputs();
  expect(long).toBe("ä".repeat(1024));
  expect(marked).toBe("a❌b❌c");
  // A character that is split by the limit is no longer valid text.
  expect(cut).toBe(`${"x".repeat(1023)}\uFFFD`);
});

it("reads a long log in parts", async () => {
  const texts = Array.from({ length: maxLogsPerRead + 1 }, (_, index) => String(index));
  await append(lines(100n, ...texts));
  expect(await outputs()).toHaveLength(maxLogsPerRead);
  expect(
    await readLogs(database.db, agentId, { after: maxLogsPerRead, before: undefined }),
  ).toMatchObject([
    { id: maxLogsPerRead + 1, output: String(maxLogsPerRead), source_id: sourceId, level: "info" },
  ]);
});

it("takes the log away with its agent, and no other", async () => {
  await append(lines(100n, "one"));
  const gone = agentId;
  await database.db.updateTable("workspace_agents").set({ deleted: true }).execute();
  agentId = await seedAgent(database.db, build);
  await append(lines(100n, "other"));
  await database.db.deleteFrom("workspace_agents").where("id", "=", gone).execute();
  expect(await outputs()).toEqual(["other"]);
  expect(await readLogs(database.db, gone, { after: 0, before: undefined })).toEqual([]);
});

it("reads only what lies between two ids", async () => {
  await append(lines(100n, "one", "two", "three", "four"));
  const between = await readLogs(database.db, agentId, { after: 1, before: 4 });
  expect(between.map((log) => log.output)).toEqual(["two", "three"]);
});
