import { EventEmitter } from "node:events";
import { tmpdir } from "node:os";

import { ExternalDriver } from "@slipway/drivers";
import type { RpcSocket } from "@slipway/rpc";
import { silentLogger } from "@slipway/runtime";
import { createFakeClock } from "@slipway/testkit";
import { expect, it } from "vitest";

import { ProvisionerHost } from "./provisioner-host.ts";
import { serveSessions } from "./serve-sessions.ts";

const alive = Buffer.from('{"type":"alive"}');

/** Returns a socket to a server that answers every sign of life; `lose` breaks it. */
function openSocket(): { readonly socket: RpcSocket; readonly lose: () => void } {
  const gone = new AbortController();
  const lose = (): void => gone.abort(new Error("lost"));
  const events = new EventEmitter();
  const raw: RpcSocket["raw"] = {
    bufferedAmount: 0,
    isPaused: false,
    pause: () => undefined,
    resume: () => undefined,
    on: (name, listener) => events.on(name, listener),
    send: (_bytes, onSent) => {
      onSent();
      events.emit("message", alive, true);
    },
  };
  return { socket: { raw, signal: gone.signal, close: lose }, lose };
}

/** Returns the times at which a provisioner dials a server whose sessions last so long, and the last one forever. */
async function dialTimes(lives: readonly number[]): Promise<readonly number[]> {
  const clock = createFakeClock(0);
  const logger = silentLogger;
  const driver = new ExternalDriver();
  await using host = new ProvisionerHost({
    driver,
    unpackDir: tmpdir(),
    clock,
    logger,
    maxDetachedMs: 1,
  });
  const end = new AbortController();
  const times: number[] = [];
  const dial = async (): Promise<RpcSocket> => {
    const { socket, lose } = openSocket();
    const lifeMs = lives[times.length];
    times.push(clock.now());
    if (lifeMs !== undefined) void clock.sleep(lifeMs, end.signal).then(lose, lose);
    return socket;
  };
  const { signal: draining } = new AbortController();
  const served = serveSessions({ host, dial, clock, logger, draining }, end.signal);
  await clock.advance(120_000);
  end.abort(new Error("enough"));
  await expect(served).rejects.toThrow("enough");
  return times;
}

it("backs off from a server whose sessions end as soon as they begin", async () => {
  const times = await dialTimes(Array.from({ length: 12 }, () => 0));
  expect(times).toHaveLength(13);
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  expect(gaps[0]).toBeLessThanOrEqual(100);
  expect(gaps.at(-1)).toBeGreaterThanOrEqual(8_000);
});

it("dials soon again after a session that lasted", async () => {
  const times = await dialTimes([...Array.from({ length: 8 }, () => 0), 40_000]);
  const [before = 0, last = 0] = times.slice(-2);
  expect(last - before - 40_000).toBeLessThanOrEqual(100);
});
