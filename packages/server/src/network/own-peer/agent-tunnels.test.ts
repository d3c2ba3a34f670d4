import { createFakeClock } from "@slipway/testkit";
import { expect, it } from "vitest";

import { AgentTunnels } from "./agent-tunnels.ts";

const idleMs = 60_000;

function openTunnels(maxTunnels: number) {
  const clock = createFakeClock();
  const log: string[] = [];
  const tunnels = new AgentTunnels({
    clock,
    maxTunnels,
    idleMs,
    open: (id) => log.push(`open ${id}`),
    close: (id) => log.push(`close ${id}`),
  });
  const stop = new AbortController();
  const running = tunnels.run(stop.signal).catch(() => undefined);
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  return { clock, log, tunnels, [Symbol.asyncDispose]: end };
}

it("shares a tunnel, and closes it a while after the last user", async () => {
  await using world = openTunnels(8);
  const { clock, log, tunnels } = world;
  const first = tunnels.use("a");
  const second = tunnels.use("a");
  expect(log).toEqual(["open a"]);
  first?.[Symbol.dispose]();
  first?.[Symbol.dispose]();
  await clock.advance(3 * idleMs);
  expect(tunnels.has("a")).toBe(true);
  second?.[Symbol.dispose]();
  await clock.advance(idleMs - 1);
  expect(tunnels.has("a")).toBe(true);
  await clock.advance(idleMs / 2);
  expect(log).toEqual(["open a", "close a"]);
  expect(tunnels.size).toBe(0);
});

it("starts the time anew with each use", async () => {
  await using world = openTunnels(8);
  const { clock, tunnels } = world;
  for (let turn = 0; turn < 10; turn += 1) {
    tunnels.use("a")?.[Symbol.dispose]();
    await clock.advance(idleMs / 2);
    expect(tunnels.has("a")).toBe(true);
  }
});

it("makes room by the tunnel that has been unused for the longest, and refuses when all are used", async () => {
  await using world = openTunnels(2);
  const { clock, log, tunnels } = world;
  tunnels.use("a")?.[Symbol.dispose]();
  await clock.advance(1);
  tunnels.use("b")?.[Symbol.dispose]();
  await clock.advance(1);
  const third = tunnels.use("c");
  expect(log).toEqual(["open a", "open b", "close a", "open c"]);
  const again = tunnels.use("b");
  expect([third, again]).not.toContain(undefined);
  expect(tunnels.use("d")).toBeUndefined();
  expect(tunnels.size).toBe(2);
});
