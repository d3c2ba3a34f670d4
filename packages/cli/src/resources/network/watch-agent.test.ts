import { createFakeClock } from "@slipway/testkit";
import { expect, it } from "vitest";

import { watchNetwork } from "./watch-agent.ts";

interface World {
  /** `none` fails immediately, `lost` never responds. */
  network: "up" | "lost" | "none";
  said: number;
  isReplaced: boolean;
  looked: number;
  readonly ended: Promise<void>;
  readonly stop: () => void;
  readonly pass: (seconds: number) => Promise<void>;
}

function watch(): World {
  const clock = createFakeClock();
  const stopped = new AbortController();
  const world: World = {
    network: "up",
    said: 0,
    isReplaced: false,
    looked: 0,
    stop: () => stopped.abort(new Error("over")),
    pass: async (seconds) => {
      for (let second = 0; second < seconds; second += 1) await clock.advance(1_000);
    },
    ended: Promise.resolve(),
  };
  const network = {
    ping: (signal: AbortSignal): Promise<unknown> => {
      if (world.network === "up") return Promise.resolve();
      if (world.network === "none") return Promise.reject(new Error("no path"));
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    },
    networkChanged: () => void (world.looked += 1),
  };
  const say = (): void => void (world.said += 1);
  const look = async (): Promise<void> => {
    if (world.isReplaced) throw new Error("the agent is of an old build");
  };
  const ended = watchNetwork(network, { say, look, clock, signal: stopped.signal });
  return Object.assign(world, { ended });
}

it.each(["lost", "none"] as const)(
  "tells of a network that is %s once, each time anew",
  async (network) => {
    const world = watch();
    await world.pass(60);
    expect(world.said).toBe(0);
    world.network = network;
    await world.pass(25);
    expect(world).toMatchObject({ said: 1, looked: 1 });
    await world.pass(100);
    expect(world.said).toBe(1);
    world.network = "up";
    await world.pass(30);
    world.network = network;
    await world.pass(25);
    expect(world.said).toBe(2);
    world.stop();
    await expect(world.ended).rejects.toThrow("over");
  },
);

it("does not tell of a question that stays open for a moment", async () => {
  const world = watch();
  world.network = "lost";
  await world.pass(14);
  world.network = "up";
  await world.pass(60);
  expect(world.said).toBe(0);
  world.stop();
  await expect(world.ended).rejects.toThrow("over");
});

it("ends when the agent cannot answer any more", async () => {
  const world = watch();
  world.isReplaced = true;
  await world.pass(60);
  world.network = "lost";
  const ended = expect(world.ended).rejects.toThrow("of an old build");
  await world.pass(25);
  await ended;
  expect(world.said).toBe(0);
});
