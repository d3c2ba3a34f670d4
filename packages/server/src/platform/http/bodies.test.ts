import { PassThrough } from "node:stream";

import { UnfinishedBytes } from "@slipway/runtime";
import { describe, expect, it } from "vitest";

import { readBody } from "./bodies.ts";

function openReading(maxBytes = 10): {
  readonly payload: PassThrough;
  readonly unfinished: UnfinishedBytes;
  readonly read: (announced?: number) => Promise<Buffer>;
} {
  const payload = new PassThrough();
  const unfinished = new UnfinishedBytes({ maxBytes: 15, timeoutMs: 1_000 });
  const clock = { monotonic: () => 0 };
  const owner = "ann";
  const read = (announced = 0): Promise<Buffer> =>
    readBody(payload, announced, { maxBytes, unfinished, owner, clock });
  return { payload, unfinished, read };
}

describe("readBody", () => {
  it("joins what arrives, and counts it until it is complete", async () => {
    const { payload, unfinished, read } = openReading();
    const body = read(10);
    payload.write("12345");
    payload.write("67");
    await new Promise(setImmediate);
    expect(unfinished.bytes).toBe(7);
    payload.end("890");
    expect(String(await body)).toBe("1234567890");
    expect(unfinished.bytes).toBe(0);
  });

  it("refuses a body that says it is too large before it reads any of it", async () => {
    const { read } = openReading();
    await expect(read(11)).rejects.toMatchObject({ status: 413, headers: { Connection: "close" } });
  });

  it("refuses a body that turns out too large, and drops the rest of it", async () => {
    const { payload, unfinished, read } = openReading();
    const body = read();
    payload.write("12345678901");
    await expect(body).rejects.toMatchObject({ status: 413 });
    expect(unfinished.bytes).toBe(0);
    payload.write("x".repeat(100_000));
    await new Promise(setImmediate);
    expect(payload.readableLength).toBe(0);
  });

  it("gives up a body whose client leaves, or that is cut off", async () => {
    const { payload, unfinished, read } = openReading(100);
    const body = read();
    payload.write("1".repeat(16));
    await expect(body).rejects.toMatchObject({ status: 499 });
    expect(payload.destroyed).toBe(true);
    expect(unfinished.bytes).toBe(0);
  });
});
