import { describe, expect, it, onTestFinished } from "vitest";

import { ClaimWorld } from "../../tests/support/claim-world.ts";
import type { ClaimWorldOptions } from "../../tests/support/claim-world.ts";

/** Opens a world with a started agent. */
async function begin(options: ClaimWorldOptions = {}): Promise<ClaimWorld> {
  const world = new ClaimWorld({ owner: "ada", ...options });
  onTestFinished(() => world.end());
  await world.pass(0);
  return world;
}

/** Starts the workspace again: its agent has a new row. */
function start(world: ClaimWorld): void {
  world.isStopped = false;
  world.row += 1;
}

describe("AgentLife of a workspace that is stopped", () => {
  it("runs the stop scripts once, and the start scripts at the next start", async () => {
    const world = await begin();
    for (let count = 1; count <= 2; count += 1) {
      world.isStopped = true;
      world.cut();
      await world.pass(60_000);
      start(world);
      await world.pass(10_000);
    }
    expect(world.scripts).toEqual(["start ada", "stop ada", "start ada", "stop ada", "start ada"]);
    expect(world.states.slice(-2)).toEqual(["STARTING", "READY"]);
  });

  it("goes on with its life when the server is down or refuses it for another reason", async () => {
    const world = await begin();
    world.isUp = false;
    world.cut();
    await world.pass(60_000);
    world.isUp = true;
    await world.pass(10_000);
    expect(world.scripts).toEqual(["start ada"]);
  });

  it("does not begin its next life before its stop scripts have ended", async () => {
    const world = await begin({ stopMs: 25_000 });
    world.isStopped = true;
    world.cut();
    await world.pass(10_000);
    start(world);
    await world.pass(10_000);
    expect(world.scripts).toEqual(["start ada", "stop ada"]);
    await world.pass(20_000);
    expect(world.scripts).toEqual(["start ada", "stop ada", "start ada"]);
  });

  it("ends while it waits, or while it stops, without running its stop scripts again", async () => {
    for (const stopMs of [0, 5_000]) {
      const world = await begin({ stopMs });
      world.isStopped = true;
      world.cut();
      await world.pass(1_000);
      world.interrupt();
      await world.pass(60_000);
      expect(world.isOver).toBe(true);
      expect(world.scripts).toEqual(["start ada", "stop ada"]);
    }
  });

  it("reports its state again for a start that it has not noticed", async () => {
    const world = await begin();
    start(world);
    world.cut();
    await world.pass(10_000);
    expect(world.scripts).toEqual(["start ada"]);
    expect(world.states).toEqual(["STARTING", "READY", "STARTING", "READY"]);
  });
});
