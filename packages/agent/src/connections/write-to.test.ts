import { getEventListeners } from "node:events";
import { PassThrough } from "node:stream";

import { expect, it } from "vitest";

import { writeTo } from "./write-to.ts";

const bytes = Uint8Array.of(1, 2, 3);

it("waits for room, and leaves no listener", async () => {
  const stream = new PassThrough({ highWaterMark: 1 });
  const { signal } = new AbortController();
  const before = stream.eventNames();
  const written = writeTo(stream, bytes, signal);
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  stream.resume();
  await written;
  expect(getEventListeners(signal, "abort")).toEqual([]);
  expect(stream.eventNames()).toEqual(before);
});

it.each(["before", "while it waits"])(
  "rejects if the peer closes the connection %s",
  async (when) => {
    const stream = new PassThrough({ highWaterMark: 1 });
    if (when === "before") stream.destroy();
    const written = writeTo(stream, bytes, new AbortController().signal);
    stream.destroy();
    await expect(written).rejects.toMatchObject({ code: "closed" });
  },
);

it("rejects with the reason of its signal", async () => {
  const stream = new PassThrough({ highWaterMark: 1 });
  const stopping = new AbortController();
  const written = writeTo(stream, bytes, stopping.signal);
  const reason = new Error("stopped");
  stopping.abort(reason);
  await expect(written).rejects.toBe(reason);
});
