import { setImmediate as settled } from "node:timers/promises";

import { createFakeClock } from "@slipway/testkit";
import { describe, expect, it } from "vitest";

import { LogQueue, maxQueuedBytes } from "./log-queue.ts";
import type { LogBatch } from "./log-queue.ts";

const one = "00000000-0000-0000-0000-000000000001";
const two = "00000000-0000-0000-0000-000000000002";

function batchOf(queue: LogQueue): LogBatch {
  const next = queue.next();
  if ("waitMs" in next) throw new Error(`nothing due for ${next.waitMs} ms`);
  return next;
}

function outputs(batch: LogBatch): string[] {
  return batch.lines.map(({ output }) => output);
}

describe("LogQueue", () => {
  it("gives the first line out at once, and those that follow after 100 ms together", async () => {
    const clock = createFakeClock();
    const queue = new LogQueue(clock);
    queue.push(one, "info", ["a"]);
    const first = batchOf(queue);
    expect(outputs(first)).toEqual(["a"]);
    queue.acknowledge(first);
    queue.push(one, "info", ["b"]);
    expect(queue.next()).toEqual({ waitMs: 100 });
    await clock.advance(60);
    queue.push(one, "error", ["c"]);
    expect(queue.next()).toEqual({ waitMs: 40 });
    await clock.advance(40);
    expect(outputs(batchOf(queue))).toEqual(["b", "c"]);
  });

  it("does not let one source wait for the pauses of another", () => {
    const queue = new LogQueue(createFakeClock());
    queue.push(one, "info", ["a"]);
    queue.acknowledge(batchOf(queue));
    queue.push(one, "info", ["b"]);
    queue.push(two, "info", ["x"]);
    expect(batchOf(queue).sourceId).toBe(two);
  });

  it("stamps lines in strictly growing order, also when the clock goes back", () => {
    let nowMs = 1_700_000_000_000;
    const queue = new LogQueue({ ...createFakeClock(), now: () => nowMs });
    queue.push(one, "info", ["a", "b"]);
    nowMs -= 5_000;
    queue.push(one, "info", ["c"]);
    nowMs += 5_001;
    queue.push(one, "info", ["d"]);
    expect(batchOf(queue).lines.map(({ createdAtNs }) => createdAtNs)).toEqual([
      1_700_000_000_000_000_000n,
      1_700_000_000_000_000_001n,
      1_700_000_000_000_000_002n,
      1_700_000_000_001_000_000n,
    ]);
  });

  it("gives a batch without an answer out again as it was, then the rest", () => {
    const queue = new LogQueue(createFakeClock());
    queue.push(one, "info", ["a", "b"]);
    const lost = batchOf(queue);
    queue.push(one, "info", ["c"]);
    const again = batchOf(queue);
    expect(again).toEqual(lost);
    queue.acknowledge(again);
    void queue.flush(new AbortController().signal);
    expect(outputs(batchOf(queue))).toEqual(["c"]);
  });

  it("keeps a batch within 1 MiB, each line counted with 21 bytes more", () => {
    const queue = new LogQueue(createFakeClock());
    queue.push(
      one,
      "info",
      Array.from({ length: 100 }, () => "x".repeat(32 * 1024 - 21)),
    );
    expect(batchOf(queue).lines).toHaveLength(32);
  });

  it("lets writers wait once it is full, until lines are stored", async () => {
    const queue = new LogQueue(createFakeClock());
    const never = new AbortController().signal;
    await queue.room(never);
    queue.push(
      one,
      "info",
      Array.from({ length: 20 }, () => "x".repeat(64 * 1024)),
    );
    let hasRoom = false;
    const room = queue.room(never).then(() => (hasRoom = true));
    await Promise.resolve();
    expect(hasRoom).toBe(false);
    queue.acknowledge(batchOf(queue));
    await room;
    expect(hasRoom).toBe(true);
  });

  it("counts lines without any bytes, too", async () => {
    const queue = new LogQueue(createFakeClock());
    queue.push(
      one,
      "info",
      Array.from({ length: maxQueuedBytes / 21 + 1 }, () => ""),
    );
    const cut = new AbortController();
    let hasRoom = false;
    const room = queue.room(cut.signal).then(() => (hasRoom = true));
    await settled();
    expect(hasRoom).toBe(false);
    cut.abort();
    await room;
  });

  it("flushes until it is empty", async () => {
    const queue = new LogQueue(createFakeClock());
    const never = new AbortController().signal;
    queue.push(one, "info", ["a"]);
    queue.acknowledge(batchOf(queue));
    queue.push(one, "info", ["b"]);
    const flushed = queue.flush(never);
    const batch = batchOf(queue);
    expect(outputs(batch)).toEqual(["b"]);
    queue.acknowledge(batch);
    await flushed;
    await queue.flush(never);
    queue.push(one, "info", ["c"]);
    expect(queue.next()).toEqual({ waitMs: 100 });
  });

  it("drops everything once it is closed", async () => {
    const queue = new LogQueue(createFakeClock());
    queue.push(one, "info", ["a"]);
    const flushed = queue.flush(new AbortController().signal);
    queue.close();
    await flushed;
    queue.push(one, "info", ["b"]);
    expect(queue.next()).toEqual({ waitMs: Number.POSITIVE_INFINITY });
  });
});
