import { silentLogger } from "@slipway/runtime";
import { createFakeClock } from "@slipway/testkit";
import { describe, expect, it } from "vitest";

import { LogQueue } from "./log-queue.ts";
import type { LogBatch } from "./log-queue.ts";
import { sendLogs } from "./send-logs.ts";

const source = "00000000-0000-0000-0000-000000000001";
const logger = silentLogger;

describe("sendLogs", () => {
  it("sends a batch again over the next connection when its answer was lost", async () => {
    const clock = createFakeClock();
    const queue = new LogQueue(clock);
    queue.push(source, "info", ["a", "b"]);
    const sent: LogBatch[] = [];
    const lost = sendLogs(
      queue,
      async (batch) => {
        sent.push(batch);
        queue.push(source, "info", ["c"]);
        throw new Error("connection lost");
      },
      { clock, logger, signal: new AbortController().signal },
    );
    await expect(lost).rejects.toThrow("connection lost");

    const second = new AbortController();
    const ended = sendLogs(queue, async (batch) => (sent.push(batch), "stored"), {
      clock,
      logger,
      signal: second.signal,
    });
    await clock.advance(200);
    second.abort(new Error("done"));
    await expect(ended).rejects.toThrow("done");
    expect(sent.map(({ lines }) => lines.map(({ output }) => output))).toEqual([
      ["a", "b"],
      ["a", "b"],
      ["c"],
    ]);
    expect(sent[1]).toEqual(sent[0]);
  });

  it("has one call in flight and keeps the order", async () => {
    const clock = createFakeClock();
    const queue = new LogQueue(clock);
    const end = new AbortController();
    const answers: (() => void)[] = [];
    const sent: string[] = [];
    const ended = sendLogs(
      queue,
      (batch) =>
        new Promise((resolve) => {
          sent.push(batch.lines.map(({ output }) => output).join());
          answers.push(() => resolve("stored"));
        }),
      { clock, logger, signal: end.signal },
    );
    queue.push(source, "info", ["1"]);
    await clock.advance(500);
    queue.push(source, "info", ["2"]);
    await clock.advance(500);
    expect(sent).toEqual(["1"]);
    answers[0]?.();
    await clock.advance(0);
    expect(sent).toEqual(["1", "2"]);
    end.abort(new Error("done"));
    answers[1]?.();
    await expect(ended).rejects.toThrow("done");
  });

  it("ends for good when the server takes no more, and says so once", async () => {
    const clock = createFakeClock();
    const queue = new LogQueue(clock);
    const said: string[] = [];
    const spoken = { ...logger, warn: (_fields: unknown, text: string) => void said.push(text) };
    queue.push(source, "info", ["a"]);
    const options = { clock, logger: spoken, signal: new AbortController().signal };
    await sendLogs(queue, async () => "limit-exceeded", options);
    await sendLogs(queue, async () => "limit-exceeded", options);
    expect(said).toHaveLength(1);
  });
});
