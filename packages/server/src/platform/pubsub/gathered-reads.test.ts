import { expect, it } from "vitest";

import { GatheredReads } from "./gathered-reads.ts";

/** Starts reads that end on demand; each returns its number. */
function open() {
  const begun: PromiseWithResolvers<void>[] = [];
  const reads = new GatheredReads<number>();
  const read = (key: string): Promise<number> =>
    reads.read(key, async () => {
      const number = begun.length;
      begun.push(Promise.withResolvers());
      await begun[number]?.promise;
      return number;
    });
  return { begun, read };
}

it("begins at once, and again only for those who came meanwhile, once for all of them", async () => {
  const { begun, read } = open();
  const first = read("a");
  expect(begun).toHaveLength(1);
  const later = [read("a"), read("a"), read("a")];
  expect(begun).toHaveLength(1);
  begun[0]?.resolve();
  expect(await first).toBe(0);
  await expect.poll(() => begun.length).toBe(2);
  begun[1]?.resolve();
  expect(await Promise.all(later)).toEqual([1, 1, 1]);
  const alone = read("a");
  expect(begun).toHaveLength(3);
  begun[2]?.resolve();
  expect(await alone).toBe(2);
});

it("reads once more for those who came while a shared read ran", async () => {
  const { begun, read } = open();
  const first = read("a");
  const second = read("a");
  begun[0]?.resolve();
  expect(await first).toBe(0);
  await expect.poll(() => begun.length).toBe(2);
  const third = read("a");
  expect(begun).toHaveLength(2);
  begun[1]?.resolve();
  expect(await second).toBe(1);
  await expect.poll(() => begun.length).toBe(3);
  begun[2]?.resolve();
  expect(await third).toBe(2);
});

it("keeps keys apart", async () => {
  const { begun, read } = open();
  const both = [read("a"), read("b")];
  expect(begun).toHaveLength(2);
  for (const one of begun) one.resolve();
  expect(await Promise.all(both)).toEqual([0, 1]);
});

it("fails for those who shared a read that failed, and reads anew for those after them", async () => {
  const { begun, read } = open();
  const first = read("a");
  const second = read("a");
  begun[0]?.reject(new Error("lost"));
  await expect(first).rejects.toThrow("lost");
  await expect.poll(() => begun.length).toBe(2);
  begun[1]?.reject(new Error("lost again"));
  await expect(second).rejects.toThrow("lost again");
  const third = read("a");
  begun[2]?.resolve();
  expect(await third).toBe(2);
});
