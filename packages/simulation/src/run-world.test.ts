import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { expect, it } from "vitest";

import { ownRules } from "./model/rules.ts";
import { runWorld } from "./run-world.ts";
import { profileOf } from "./world/profile.ts";
import type { World } from "./world/world.ts";

/** Runs a world and retains as little of it as possible. */
async function play(seed: number): Promise<WeakRef<World>> {
  const options = { seed, profile: profileOf(seed), rules: ownRules, isTraced: false };
  return new WeakRef((await runWorld(options)).world);
}

it("leaves nothing of a world in memory that is over", async () => {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  const worlds = [await play(1), await play(2), await play(3)];
  // Memory held by the last turns is released gradually; a leak of a world never is.
  const remaining = async (): Promise<number> => {
    await turn();
    if (typeof collect === "function") collect();
    return worlds.filter((world) => world.deref() !== undefined).length;
  };
  await expect.poll(remaining).toBe(0);
});
