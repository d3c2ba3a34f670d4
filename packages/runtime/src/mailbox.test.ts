import { describe, expect, it } from "vitest";

import { Mailbox } from "./mailbox.ts";

describe("Mailbox", () => {
  it("refuses what is above its capacity, and takes again once the reader has read", async () => {
    const mailbox = new Mailbox<number>(2);
    expect([1, 2, 3].map((item) => mailbox.offer(item))).toEqual(["taken", "taken", "full"]);
    expect(mailbox.size).toBe(2);
    const reader = mailbox[Symbol.asyncIterator]();
    await expect(reader.next()).resolves.toEqual({ done: false, value: 1 });
    expect(mailbox.offer(4)).toBe("taken");
    mailbox.close();
    expect(await Array.fromAsync(mailbox)).toEqual([2, 4]);
  });

  it("wakes a reader that waits", async () => {
    const mailbox = new Mailbox<string>(1);
    const next = mailbox[Symbol.asyncIterator]().next();
    mailbox.offer("late");
    await expect(next).resolves.toEqual({ done: false, value: "late" });
  });

  it("gives out what was queued before it ends", async () => {
    const mailbox = new Mailbox<number>(5);
    mailbox.offer(1);
    mailbox.close();
    expect(mailbox.offer(2)).toBe("closed");
    expect(await Array.fromAsync(mailbox)).toEqual([1]);
  });

  it("throws the error it was closed with first, after what was queued", async () => {
    const mailbox = new Mailbox<number>(5);
    mailbox.offer(1);
    mailbox.close(new Error("broken"));
    mailbox.close(new Error("later"));
    mailbox.close();
    const reader = mailbox[Symbol.asyncIterator]();
    await expect(reader.next()).resolves.toEqual({ done: false, value: 1 });
    await expect(reader.next()).rejects.toThrow("broken");
  });

  it("ends a reader that waits when it is closed", async () => {
    const mailbox = new Mailbox<number>(1);
    const reading = Array.fromAsync(mailbox);
    await Promise.resolve();
    mailbox.close();
    await expect(reading).resolves.toEqual([]);
  });
});
