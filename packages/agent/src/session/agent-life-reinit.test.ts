import { RpcError } from "@slipway/rpc";
import { Agent, Lifecycle_State } from "@slipway/wire/protobuf/gen/agent_pb";
import { describe, expect, it, onTestFinished } from "vitest";

import { ClaimWorld } from "../../tests/support/claim-world.ts";
import type { ClaimWorldOptions } from "../../tests/support/claim-world.ts";

const ada = "8826ee2e-7933-4665-aef2-2393f84a0d05";

/** Opens a world with a started agent. */
async function begin(options: ClaimWorldOptions = {}): Promise<ClaimWorld> {
  const world = new ClaimWorld(options);
  onTestFinished(() => world.end());
  await world.pass(0);
  return world;
}

const claimedOnce = ["start prebuilds", "stop prebuilds", "start ada"];

describe("AgentLife at a claim", () => {
  it("ends one life and begins the next when a frame comes, without a wait", async () => {
    const world = await begin();
    world.claim("ada", { closes: false });
    await world.frame(ada);
    expect(world.clock.now()).toBe(0);
    expect(world.scripts).toEqual(claimedOnce);
    expect(world.states).toEqual(["STARTING", "READY", "SHUTTING_DOWN", "STARTING", "READY"]);
    expect(world.dials).toEqual([0, 0]);
  });

  it("lends the next life's scripts the pipes of the life before, which are there already", async () => {
    const world = await begin();
    world.claim("ada", { closes: false });
    await world.frame(ada);
    expect(world.scripts).toEqual(claimedOnce);
    expect(world.pipes.size).toBe(1);
  });

  it("does the same when the frame is lost and the connection ends", async () => {
    const world = await begin();
    world.claim("ada");
    await world.pass(99);
    expect(world.scripts).toEqual(["start prebuilds"]);
    await world.pass(1);
    expect(world.scripts).toEqual(claimedOnce);
  });

  it("cuts the wait for the next attempt when a frame comes", async () => {
    const world = await begin();
    world.isUp = false;
    world.claim("ada");
    await world.pass(60_000);
    world.isUp = true;
    const atMs = world.clock.now();
    await world.frame(ada);
    expect(world.clock.now()).toBe(atMs);
    expect(world.scripts).toEqual(claimedOnce);
  });

  it("asks for nothing twice: frame, redial, duplicate, nameless frame", async () => {
    const world = await begin();
    world.claim("ada");
    await world.frame(ada);
    await world.pass(100);
    for (const ownerId of [ada, undefined, ada, undefined]) {
      await world.frame(ownerId);
      world.cut();
      await world.pass(70_000);
    }
    expect(world.scripts).toEqual(claimedOnce);
    expect(world.states.filter((state) => state === "STARTING")).toHaveLength(2);
  });

  it("does not dial for a frame that names the owner it lives for", async () => {
    const world = await begin();
    world.claim("ada", { closes: false });
    await world.frame(ada);
    await world.pass(100);
    const dials = world.dials.length;
    await world.frame(ada);
    await world.pass(60_000);
    await world.frame(ada);
    expect(world.dials).toHaveLength(dials);
    expect(world.asks).toHaveLength(3);
  });

  it("is not impressed by a server that sends a frame on each request for life", async () => {
    const world = new ClaimWorld({ owner: "ada" });
    onTestFinished(() => world.end());
    world.standing = {
      kind: "event",
      event: { workspaceId: "w", ownerId: ada, reason: "prebuild_claimed" },
    };
    await world.pass(0);
    await world.pass(600_000);
    expect(world.scripts).toEqual(["start ada"]);
    // One dial, to learn the owner.
    expect(world.dials.length).toBeLessThanOrEqual(2);
    expect(world.asks.length).toBeLessThanOrEqual(22);
  });

  it("goes on waiting when a frame comes before the claim is to be seen", async () => {
    const world = await begin();
    await world.frame(ada);
    expect(world.scripts).toEqual(["start prebuilds"]);
    await world.pass(60_000);
    world.claim("ada", { closes: false });
    await world.frame(ada);
    expect(world.scripts).toEqual(claimedOnce);
  });

  it("begins for the claimer when its first manifest is theirs", async () => {
    const world = await begin({ owner: "ada" });
    await world.frame();
    await world.frame(ada);
    expect(world.scripts).toEqual(["start ada"]);
  });

  it("asks no more once no frame can come, and still goes by the manifest", async () => {
    const world = await begin();
    await world.answer({ kind: "not-a-prebuild", message: "no" });
    await world.pass(600_000);
    expect(world.asks).toEqual([0]);
    world.claim("ada");
    await world.pass(1_000);
    expect(world.scripts).toEqual(claimedOnce);
  });

  it("serves another user after a user only when asked", async () => {
    const world = await begin({ owner: "ada" });
    world.claim("eve");
    await world.pass(10_000);
    expect(world.scripts).toEqual(["start ada"]);
    await world.frame("e0e0e0e0-7933-4665-aef2-2393f84a0d05");
    expect(world.scripts).toEqual(["start ada", "stop ada", "start eve"]);
  });

  it("kills stop scripts that do not end within half a minute", async () => {
    const world = await begin({ stopMs: 3_600_000 });
    world.claim("ada", { closes: false });
    await world.frame(ada);
    await world.pass(29_999);
    expect(world.scripts).toEqual(["start prebuilds", "stop prebuilds"]);
    await world.pass(1);
    expect(world.scripts).toEqual(claimedOnce);
    expect(world.states).toEqual([
      "STARTING",
      "READY",
      "SHUTTING_DOWN",
      "SHUTDOWN_TIMEOUT",
      "STARTING",
      "READY",
    ]);
  });

  it("carries a reinit through while connections come and go", async () => {
    const world = await begin({ stopMs: 5_000 });
    world.claim("ada");
    await world.frame(ada);
    for (let count = 0; count < 10; count += 1) {
      world.cut();
      await world.pass(1_000);
    }
    await world.pass(20_000);
    expect(world.scripts).toEqual(claimedOnce);
    expect(world.states).toEqual([
      "STARTING",
      "READY",
      "SHUTTING_DOWN",
      "OFF",
      "STARTING",
      "READY",
    ]);
  });

  it("begins for whom the newest manifest names when the old session has ended", async () => {
    const world = await begin({ stopMs: 5_000 });
    world.claim("ada");
    await world.frame(ada);
    world.claim("eve");
    await world.pass(20_000);
    expect(world.scripts).toEqual(["start prebuilds", "stop prebuilds", "start eve"]);
  });

  it("begins the next life without waiting for the last words, and keeps their order", async () => {
    const world = await begin({ stopMs: 1_000 });
    const held = Promise.withResolvers<void>();
    world.server.on(Agent.method.updateLifecycle, async ({ lifecycle }) => {
      if (lifecycle?.state === Lifecycle_State.SHUTTING_DOWN) await held.promise;
      return lifecycle ?? {};
    });
    world.claim("ada", { closes: false });
    await world.frame(ada);
    await world.pass(1_000);
    expect(world.scripts).toEqual(claimedOnce);
    // A request that the server does not answer times out.
    const told: (number | undefined)[] = [];
    world.server.on(Agent.method.updateLifecycle, ({ lifecycle }) => {
      told.push(lifecycle?.state);
      return lifecycle ?? {};
    });
    await world.pass(5_000);
    expect(told).toEqual([Lifecycle_State.STARTING, Lifecycle_State.READY]);
  });

  it("lets go of last words that the server refuses", async () => {
    const world = await begin({ stopMs: 1_000 });
    const told: (number | undefined)[] = [];
    world.server.on(Agent.method.updateLifecycle, ({ lifecycle }) => {
      told.push(lifecycle?.state);
      const isOld = (lifecycle?.state ?? 0) >= Lifecycle_State.SHUTTING_DOWN;
      if (isOld) throw new RpcError("forbidden");
      return lifecycle ?? {};
    });
    world.claim("ada", { closes: false });
    await world.frame(ada);
    await world.pass(1_000);
    expect(told).toEqual([
      Lifecycle_State.SHUTTING_DOWN,
      Lifecycle_State.OFF,
      Lifecycle_State.STARTING,
      Lifecycle_State.READY,
    ]);
    expect(world.dials).toHaveLength(2);
  });

  it("tells the new row nothing of what the old one was not told in time", async () => {
    const world = new ClaimWorld();
    onTestFinished(() => world.end());
    world.server.on(Agent.method.updateLifecycle, () => new Promise(() => undefined));
    await world.pass(0);
    const told: (number | undefined)[] = [];
    world.server.on(Agent.method.updateLifecycle, ({ lifecycle }) => {
      told.push(lifecycle?.state);
      return lifecycle ?? {};
    });
    world.claim("ada");
    await world.pass(1_000);
    expect(told).toEqual([
      Lifecycle_State.SHUTTING_DOWN,
      Lifecycle_State.STARTING,
      Lifecycle_State.READY,
    ]);
  });

  it("ends without a next life when it is told to end in the middle of a reinit", async () => {
    const world = await begin({ stopMs: 5_000 });
    world.claim("ada", { closes: false });
    await world.frame(ada);
    world.interrupt();
    await world.pass(4_999);
    expect(world.isOver).toBe(false);
    await world.pass(1);
    expect(world.isOver).toBe(true);
    expect(world.scripts).toEqual(["start prebuilds", "stop prebuilds"]);
    expect(world.states).toEqual(["STARTING", "READY", "SHUTTING_DOWN", "OFF"]);
  });

  it("ends the next life as any other when it is told to end after a reinit", async () => {
    const world = await begin();
    world.claim("ada", { closes: false });
    await world.frame(ada);
    world.interrupt();
    await world.pass(0);
    expect(world.isOver).toBe(true);
    expect(world.scripts).toEqual([...claimedOnce, "stop ada"]);
    expect(world.states.slice(-4)).toEqual(["STARTING", "READY", "SHUTTING_DOWN", "OFF"]);
  });
});
