import { connect } from "node:net";

import { silentLogger, systemClock } from "@slipway/runtime";
import { runSpeedtest, type SpeedtestInterval } from "@slipway/sdk/workspace";
import { expect, it, onTestFinished } from "vitest";

import { listenOnLoopback } from "../../tests/support/loopback-service.ts";
import { createSpeedtestService } from "./serve-speedtest.ts";

async function openPort(): Promise<number> {
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  return listenOnLoopback(
    createSpeedtestService({ clock: systemClock, logger: silentLogger, signal: stopping.signal }),
  );
}

it.each(["download", "upload"] as const)("measures a %s", async (direction) => {
  const connection = connect({ host: "127.0.0.1", port: await openPort(), allowHalfOpen: true });
  const parts: SpeedtestInterval[] = [];
  const total = await runSpeedtest(
    connection,
    { direction, durationMs: 300 },
    {
      clock: systemClock,
      signal: new AbortController().signal,
      onInterval: (part) => void parts.push(part),
    },
  );
  expect(total.endMs).toBeGreaterThan(299);
  expect(total.bytes).toBeGreaterThan(0);
  expect(parts.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(total.bytes);
  // The end of an upload is known when the agent has read everything.
  expect(parts.at(-1)?.endMs).toBeLessThanOrEqual(total.endMs);
  expect(connection.destroyed).toBe(true);
});

it("throws what the agent says, and the reason that it was told to stop for", async () => {
  const port = await openPort();
  const options = { clock: systemClock, onInterval: () => undefined };
  const signal = new AbortController().signal;
  const tooLong = { direction: "download", durationMs: 3_600_000 } as const;
  const first = connect({ host: "127.0.0.1", port });
  await expect(runSpeedtest(first, tooLong, { ...options, signal })).rejects.toThrow(
    expect.objectContaining({ code: "refused" }),
  );

  const stop = new AbortController();
  const second = connect({ host: "127.0.0.1", port });
  const running = runSpeedtest(
    second,
    { direction: "upload", durationMs: 60_000 },
    { ...options, signal: stop.signal },
  );
  stop.abort(new Error("enough"));
  await expect(running).rejects.toThrow("enough");
});
