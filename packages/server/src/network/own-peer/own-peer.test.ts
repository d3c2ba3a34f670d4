import { randomBytes } from "node:crypto";

import { type Clock, systemClock } from "@slipway/runtime";
import { openUdpSocket } from "@slipway/tailnet/node/udp-socket";
import { expect, it, onTestFinished, vi } from "vitest";

import {
  agentId,
  echoPort,
  expectEcho,
  hastyClock,
  joinAgent,
  limit,
  openWorld,
  otherId,
} from "../../../tests/support/own-peer-world.ts";

it.each([
  { path: "the relay within the process", disableDirect: true },
  { path: "a direct path", disableDirect: false },
])("carries every byte to agents and back over $path", async ({ disableDirect }) => {
  const world = openWorld({ disableDirect });
  for (const id of [agentId, otherId]) {
    await joinAgent(world, id, disableDirect ? undefined : await openUdpSocket());
  }
  await Promise.all([
    expectEcho(world, agentId, randomBytes(3_000_000)),
    expectEcho(world, agentId, randomBytes(1_000_000)),
    expectEcho(world, otherId, randomBytes(1_000_000)),
  ]);
  expect(world.opened()).toBe(1);
  expect(world.ownPeer.size.tunnels).toBe(2);
  expect(world.outcomes).toEqual(["connected", "connected", "connected"]);
  await vi.waitFor(() => expect(world.ownPeer.size.connections).toBe(0));
});

it("offers agents no service", async () => {
  const world = openWorld();
  const agent = await joinAgent(world, agentId);
  const reached = await world.ownPeer.reachAgent(agentId, limit());
  const incoming = agent.stack.listen(7777)[Symbol.asyncIterator]();
  const stream = await reached.dial(7777, limit());
  onTestFinished(() => void stream.destroy());
  const { value } = await incoming.next();
  const { address } = value?.remote ?? {};
  if (address === undefined) throw new Error("no connection");
  for (const port of [1, 2, 4, 22, 80, 443, 3000, 7777, 65_535]) {
    const dialed = agent.stack.connect({ address, port }, { signal: limit() });
    await expect(dialed).rejects.toMatchObject({ code: "refused" });
  }
});

it("names the rung that failed", async () => {
  const world = openWorld({ clock: hastyClock });
  const unknown = world.ownPeer.reachAgent(otherId, limit());
  await expect(unknown).rejects.toMatchObject({
    code: "unreachable",
    rung: "agent",
    message: "Internal error dialing workspace agent.",
    detail: "agent is unreachable: it has not joined the network",
  });
  const agent = await joinAgent(world, agentId);
  const reached = await world.ownPeer.reachAgent(agentId, limit());
  await expect(reached.dial(9, limit())).rejects.toMatchObject({ rung: "port" });
  expect(world.outcomes).toEqual(["agent", "port"]);
  // Its network disappears without a goodbye.
  await agent.stack.close();
  await expect(reached.dial(echoPort, limit())).rejects.toMatchObject({ rung: "handshake" });
});

it("has those who wait give up on their own, and reaches an agent that comes late", async () => {
  const world = openWorld();
  const impatient = world.ownPeer.reachAgent(agentId, AbortSignal.timeout(50));
  const patient = world.ownPeer.reachAgent(agentId, limit());
  await expect(impatient).rejects.toMatchObject({ name: "TimeoutError" });
  await joinAgent(world, agentId);
  await patient;
});

it("replaces its peer after a failure", async () => {
  let fault = Promise.withResolvers<never>();
  const clock: Clock = {
    ...systemClock,
    sleep: (ms, signal) => Promise.race([systemClock.sleep(ms, signal), fault.promise]),
  };
  const world = openWorld({ clock });
  await joinAgent(world, agentId);
  const reached = await world.ownPeer.reachAgent(agentId, limit());
  const stream = await reached.dial(echoPort, limit());
  const ended = new Promise((resolve) => stream.on("error", resolve).resume());
  const { reject } = fault;
  fault = Promise.withResolvers();
  reject(new Error("the clock stopped"));
  await vi.waitFor(() => expect(world.outcomes).toContain("failure"));
  await ended;
  // The same handle works with the next peer.
  const next = await reached.dial(echoPort, limit());
  next.end("hello");
  expect(Buffer.concat(await next.toArray({ signal: limit() })).toString()).toBe("hello");
  expect(world.opened()).toBe(2);
});

it("reaches nobody once it is closed", async () => {
  const world = openWorld();
  await joinAgent(world, agentId);
  const reached = await world.ownPeer.reachAgent(agentId, limit());
  const stream = await reached.dial(echoPort, limit());
  const ended = new Promise((resolve) => stream.on("error", resolve).resume());
  await world.ownPeer.close();
  await ended;
  await expect(reached.dial(echoPort, limit())).rejects.toMatchObject({ code: "unavailable" });
});
