import { createFakeClock } from "@slipway/testkit";
import { expect, it } from "vitest";

import { GatheredWrites, maxPerWrite, paceMs } from "./gathered-writes.ts";

interface Item {
  readonly key: string;
  readonly value: number;
}

/** An error of PostgreSQL. */
class SqlError extends Error {
  override readonly name = "SqlError";
  readonly code = "40P01";
}

/** Opens writes whose statements end on demand: the result of an item is its value, and "nobody" has no result. */
function open() {
  const clock = createFakeClock(0);
  const statements: {
    readonly items: readonly Item[];
    readonly end: PromiseWithResolvers<void>;
  }[] = [];
  const writes = new GatheredWrites<Item, number>({
    keyOf: ({ key }) => key,
    writeAll: async (items) => {
      const end = Promise.withResolvers<void>();
      statements.push({ items, end });
      await end.promise;
      return new Map(
        items.filter(({ key }) => key !== "nobody").map(({ key, value }) => [key, value]),
      );
    },
    clock,
  });
  const write = (key: string, value = 0) => writes.write({ key, value });
  const valuesOf = (number: number) => statements[number]?.items.map(({ value }) => value);
  return { clock, statements, write, valuesOf };
}

it("writes a single item at once, and those that follow within the pace together", async () => {
  const { clock, statements, write, valuesOf } = open();
  const first = write("a", 1);
  expect(valuesOf(0)).toEqual([1]);
  statements[0]?.end.resolve();
  expect(await first).toBe(1);
  const later = [write("b", 2), write("nobody", 3), write("c", 4)];
  await clock.advance(paceMs - 1);
  expect(statements).toHaveLength(1);
  await clock.advance(1);
  expect(valuesOf(1)).toEqual([2, 4, 3]);
  statements[1]?.end.resolve();
  expect(await Promise.all(later)).toEqual([2, undefined, 4]);
  await clock.advance(paceMs);
  const last = write("d", 5);
  expect(valuesOf(2)).toEqual([5]);
  statements[2]?.end.resolve();
  expect(await last).toBe(5);
});

it("changes no row twice in a statement, and keeps the order of its changes", async () => {
  const { clock, statements, write, valuesOf } = open();
  const all = [write("a", 1), write("a", 2), write("b", 3), write("a", 4)];
  for (const values of [[1], [2, 3], [4]]) {
    expect(valuesOf(statements.length - 1)).toEqual(values);
    statements.at(-1)?.end.resolve();
    await clock.advance(paceMs);
  }
  expect(await Promise.all(all)).toEqual([1, 2, 3, 4]);
});

it("goes on while a statement waits for a row, but not with any number of them", async () => {
  const { clock, statements, write } = open();
  const all = ["a", "b", "c", "d", "e"].map((key) => write(key));
  expect(statements).toHaveLength(1);
  const more = ["f", "g", "h"];
  for (const key of more) {
    await clock.advance(paceMs);
    all.push(write(key));
  }
  await clock.advance(paceMs);
  await clock.advance(paceMs);
  expect(statements).toHaveLength(4);
  statements[2]?.end.resolve();
  all.push(write("i"));
  await expect.poll(() => statements.length).toBe(5);
  for (const { end } of statements) end.resolve();
  await clock.advance(paceMs);
  for (const { end } of statements) end.resolve();
  expect(await Promise.all(all)).toHaveLength(9);
});

it("writes in the order of the keys, so that no two statements lock rows in opposite orders", async () => {
  const { clock, statements, write, valuesOf } = open();
  const all = [write("first"), write("c", 1), write("a", 2), write("b", 3), write("a", 4)];
  await clock.advance(paceMs);
  expect(valuesOf(1)).toEqual([2, 3, 1]);
  await clock.advance(paceMs);
  expect(valuesOf(2)).toEqual([4]);
  for (const { end } of statements) end.resolve();
  expect(await Promise.all(all)).toEqual([0, 1, 2, 3, 4]);
});

it("writes each alone when the database refuses them together", async () => {
  const { clock, statements, write, valuesOf } = open();
  const first = write("a", 1);
  const shared = Promise.allSettled([write("b", 2), write("c", 3)]);
  await clock.advance(paceMs);
  statements[1]?.end.reject(new SqlError("deadlock detected"));
  await expect.poll(() => statements.length).toBe(4);
  expect([valuesOf(2), valuesOf(3)]).toEqual([[2], [3]]);
  const refused = new SqlError("refused");
  statements[2]?.end.reject(refused);
  statements[3]?.end.resolve();
  expect(await shared).toEqual([
    { status: "rejected", reason: refused },
    { status: "fulfilled", value: 3 },
  ]);
  statements[0]?.end.resolve();
  expect(await first).toBe(1);
});

it("fails for all who shared a statement when the database is away, and goes on after them", async () => {
  const { clock, statements, write } = open();
  const first = write("a", 1);
  const shared = Promise.allSettled([write("b", 2), write("c", 3)]);
  await clock.advance(paceMs);
  const away = new Error("Connection terminated");
  statements[1]?.end.reject(away);
  expect(await shared).toEqual([
    { status: "rejected", reason: away },
    { status: "rejected", reason: away },
  ]);
  const last = write("d", 4);
  await clock.advance(paceMs);
  for (const { end } of statements) end.resolve();
  expect(await Promise.all([first, last])).toEqual([1, 4]);
});

it("takes so many items into a statement, and the rest into the next", async () => {
  const { clock, statements, write } = open();
  const all = Array.from({ length: maxPerWrite + 2 }, (_, index) => write(`k${index}`));
  for (const size of [1, maxPerWrite, 1]) {
    expect(statements.at(-1)?.items).toHaveLength(size);
    statements.at(-1)?.end.resolve();
    await clock.advance(paceMs);
  }
  expect(await Promise.all(all)).toHaveLength(maxPerWrite + 2);
});
