import { randomBytes, randomUUID } from "node:crypto";

import { getAgent } from "@slipway/api/agents/routes";
import { logout, updateUserRoles } from "@slipway/api/users/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { getWorkspace } from "@slipway/api/workspaces/routes";
import { connectWithToken } from "@slipway/testkit";
import { encodeUuid, parseUuid } from "@slipway/wire/bytes/uuid";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import { rpcPath } from "@slipway/wire/protobuf/descriptors";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";
import type { NodeSchema } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { Tailnet, Workspace_Status as Status } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";

import { Coordination, joinNetwork } from "./support/network-client.ts";
import {
  addressOf,
  NetworkPeople,
  newName,
  node,
  randomAddress,
  resumeToken,
} from "./support/network-people.ts";
import { openReplica, openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson, type Person } from "./support/people.ts";

/* Clients that join the network on a whole server, and clients that try to reach agents that they may not. */

const never = new AbortController().signal;

const opened = new AsyncDisposableStack();
let server: OpenServer;
let replica: Awaited<ReturnType<typeof openReplica>>;
let people: NetworkPeople;

const secret = { SLIPWAY_SECRET_KEY: randomBytes(32).toString("hex") };

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl"), secret));
  replica = opened.use(await openReplica(server, secret));
  people = await NetworkPeople.open(server);
});

afterAll(() => opened.disposeAsync());

describe("a client", () => {
  it.each(["this", "the other"])(
    "learns of its agent on %s replica, and the agent of it, up to the handshake",
    async (where) => {
      const owner = await people.addOwner();
      const { agentId, agent } = owner;
      const session = await people.join(owner, agentId, {
        url: where === "this" ? server.url : replica.url,
      });
      const client = new Coordination(session);
      client.send({ addTunnel: { id: encodeUuid(agentId) } });
      await client.hears(`NODE ${agentId} agent`);
      client.send({ updateSelf: { node: node("client") } });
      await expect.poll(() => agent.heard).toHaveLength(1);
      const [, clientId = ""] = agent.heard[0]?.split(" ") ?? [];
      agent.heard.length = 0;
      agent.send({ readyForHandshake: [{ id: encodeUuid(clientId) }] });
      await client.hears(`READY_FOR_HANDSHAKE ${agentId}`);
      client.send({ disconnect: {} });
      await client.hears("end");
      await agent.hears(`DISCONNECTED ${clientId}`);
    },
  );

  it("gets the map of relays, and may send telemetry", async () => {
    const owner = await people.addOwner();
    const { caller } = await people.join(owner, owner.agentId);
    expect(await caller.unary(Tailnet.method.postTelemetry, {}, never)).toMatchObject({});
    for await (const map of caller.serverStream(Tailnet.method.streamDERPMaps, {}, never)) {
      expect(map.homeParams).toBeDefined();
      break;
    }
  });

  it("comes back as the same peer with its token, on any replica, and displaces itself", async () => {
    const owner = await people.addOwner();
    const { session, client } = await people.reach(owner, owner);
    const token = await resumeToken(session);
    const again = new Coordination(await people.join(owner, owner.agentId, { token }));
    again.send({ updateSelf: { node: node("again") } });
    await client.hears("peer ID overwritten by new connection", "end");
    await again.hears(`NODE ${owner.agentId} agent`);
    await owner.agent.hears(expect.stringMatching(/^NODE .* again$/));
    await session[Symbol.asyncDispose]();
    const there = new Coordination(
      await people.join(owner, owner.agentId, { token, url: replica.url }),
    );
    there.send({ updateSelf: { node: node("there") } });
    await owner.agent.hears(expect.stringMatching(/^NODE .* there$/));
  });

  it("reaches any of its agents on the tailnet, and no others", async () => {
    const [owner, stranger] = await Promise.all([people.addOwner(), people.addOwner()]);
    const second = await people.addOwner(owner);
    const session = await joinNetwork(server.url, "/tailnet?version=2.3", owner.client.headers);
    onTestFinished(() => session[Symbol.asyncDispose]());
    const client = new Coordination(session);
    for (const { agentId } of [owner, second]) {
      client.send({ addTunnel: { id: encodeUuid(agentId) } });
      await client.hears(`NODE ${agentId} agent`);
    }
    client.send({ addTunnel: { id: encodeUuid(stranger.agentId) } });
    await client.hears(
      "authorization: workspace agent not found or you do not have permission",
      "end",
    );
    expect(stranger.agent.heard).toEqual([]);
  });
});

describe("nobody", () => {
  it("joins for the agent of another, or by what is no token", async () => {
    const [owner, other] = await Promise.all([people.addOwner(), people.addOwner()]);
    await expect(people.join(other, owner.agentId)).rejects.toThrow(/^404/);
    await expect(people.join(owner, randomUUID())).rejects.toThrow(/^404/);
    const session = await people.join(owner, owner.agentId);
    const token = await resumeToken(session);
    const wrong = /^401 .*Invalid resume token.*resume_token/;
    await expect(people.join(owner, owner.agentId, { token: "x" })).rejects.toThrow(wrong);
    await expect(people.join(owner, owner.agentId, { token: token.slice(0, -4) })).rejects.toThrow(
      wrong,
    );
    // The token of another user, and one for another agent.
    const admin = { client: server.admin };
    await expect(people.join(admin, owner.agentId, { token })).rejects.toThrow(wrong);
    const second = await people.addOwner(owner);
    await expect(people.join(owner, second.agentId, { token })).rejects.toThrow(wrong);
  });

  it("opens a tunnel to another agent, to nothing, or to itself", async () => {
    const [owner, other] = await Promise.all([people.addOwner(), people.addOwner()]);
    for (const [id, error] of [
      [
        encodeUuid(other.agentId),
        `authorization: invalid agent id, expected ${owner.agentId}, got ${other.agentId}`,
      ],
      [new Uint8Array(16), "authorization: parse add tunnel id: nil UUID"],
      [new Uint8Array(3), "authorization: parse add tunnel id: invalid UUID (got 3 bytes)"],
    ] as const) {
      const client = new Coordination(await people.join(owner, owner.agentId));
      client.send({ updateSelf: { node: node("thief") } });
      client.send({ addTunnel: { id } });
      await client.hears(error, "end");
    }
    expect(other.agent.heard).toEqual([]);
  });

  it("publishes what is not theirs", async () => {
    const owner = await people.addOwner();
    const { agentId, agent } = owner;
    const attempt = async (
      who: Pick<Person, "client">,
      fields: MessageInitShape<typeof NodeSchema>,
    ): Promise<string> => {
      const client = new Coordination(await people.join(who, agentId));
      client.send({ addTunnel: { id: encodeUuid(agentId) } });
      await client.hears(`NODE ${agentId} agent`);
      client.send({ updateSelf: { node: fields } });
      await expect.poll(() => client.heard.at(-1)).toBe("end");
      return client.heard[0] ?? "";
    };
    const victim = new Coordination(await people.join({ client: server.admin }, agentId));
    const address = randomAddress();
    const key = Buffer.concat([Buffer.from("np"), randomBytes(32)]);
    victim.send({ addTunnel: { id: encodeUuid(agentId) } });
    const theirs = { ...node("victim", address), key };
    victim.send({ updateSelf: { node: theirs } });
    await agent.hears(expect.stringMatching(/^NODE .* victim$/));
    const others = "authorization: an address or a key of the node belongs to another peer";
    expect(await attempt(owner, node("thief", address))).toBe(others);
    expect(await attempt(owner, node("thief", address.toUpperCase().replace(":0", ":")))).toBe(
      others,
    );
    expect(await attempt(owner, { ...node("thief"), key })).toBe(others);
    // X25519 ignores the highest bit.
    const respelled = Uint8Array.from(key, (byte, at) => (at === 33 ? byte ^ 0x80 : byte));
    expect(await attempt(owner, { ...node("thief"), key: respelled })).toBe(others);
    expect(await attempt(owner, { ...node("thief"), disco: theirs.disco ?? "" })).toBe(others);
    const more = { ...node("thief"), allowedIps: [`${address}/128`] };
    expect(await attempt(owner, more)).toContain("invalid node address");
    expect(await attempt(owner, { ...node("thief"), allowedIps: ["::/0"] })).toBe(
      "authorization: invalid address bits, expected 128, got 0",
    );
    expect(await attempt(owner, node("thief", "2001:db8::1"))).toContain("invalid node address");
    expect(await attempt(owner, node("thief", addressOf(agentId)))).toContain(
      "invalid node address",
    );
    expect(
      await attempt(owner, {
        ...node("big"),
        endpoints: Array.from({ length: 200 }, () => "x".repeat(100)),
      }),
    ).toContain("at most 16384 are taken");
    expect(agent.heard).toEqual([]);
  });

  it("says that it is ready, as a client", async () => {
    const owner = await people.addOwner();
    const { client } = await people.reach(owner, owner);
    client.send({ readyForHandshake: [{ id: encodeUuid(owner.agentId) }] });
    await client.hears("authorization: clients may not send ready_for_handshake", "end");
    await owner.agent.hears(expect.stringMatching(/^LOST /));
  });

  it("is answered an RPC that clients have not", async () => {
    const owner = await people.addOwner();
    const { caller } = await people.join(owner, owner.agentId);
    await expect(caller.unary(Agent.method.getManifest, {}, never)).rejects.toMatchObject({
      rpcCode: 12,
      message: `unknown rpc: "${rpcPath(Agent.method.getManifest)}"`,
    });
  });
});

/** The updates of an owner's workspaces that a client receives, as text. */
async function watchWorkspaces(who: Pick<Person, "client">, ownerId: string) {
  const session = await joinNetwork(server.url, "/tailnet?version=2.3", who.client.headers);
  onTestFinished(() => session[Symbol.asyncDispose]());
  const heard: string[] = [];
  const request = { workspaceOwnerId: encodeUuid(ownerId) };
  const updates = session.caller.serverStream(Tailnet.method.workspaceUpdates, request, never);
  const reading = (async () => {
    for await (const update of updates) {
      const { upsertedWorkspaces, upsertedAgents, deletedWorkspaces, deletedAgents } = update;
      heard.push(
        "update",
        ...upsertedWorkspaces.map(({ name, status }) => `${name} ${status}`),
        ...upsertedAgents.map(({ name, workspaceId }) => `${name} in ${parseUuid(workspaceId)}`),
        ...deletedAgents.map(({ name, workspaceId }) => `no ${name} in ${parseUuid(workspaceId)}`),
        ...deletedWorkspaces.map(({ name }) => `no ${name}`),
      );
    }
  })();
  reading.catch(() => heard.push("broken off"));
  return { heard, session };
}

describe("a client that watches workspaces", () => {
  it("is told of all at first, then of changes", async () => {
    const person = await addPerson(server, newName());
    const { heard } = await watchWorkspaces(person, person.user.id);
    await expect.poll(() => heard).toEqual(["update"]);
    const { workspaceId, client } = await people.addOwner(person);
    const { name } = await client.call(getWorkspace, { params: { workspace: workspaceId } });
    await expect.poll(() => heard).toContain(`${name} ${Status.RUNNING}`);
    expect(heard).toContain(`main in ${workspaceId}`);
    const again = await watchWorkspaces({ client: server.admin }, person.user.id);
    await expect
      .poll(() => again.heard)
      .toEqual(["update", `${name} ${Status.RUNNING}`, `main in ${workspaceId}`]);
    const params = { workspace: workspaceId };
    await client.call(createBuild, { params, body: { transition: "delete" } });
    await expect.poll(() => again.heard.at(-1)).toBe(`no ${name}`);
    expect(again.heard).toContain(`no main in ${workspaceId}`);
  });

  it("is told of none that it may not see, and what was malformed", async () => {
    const owner = await people.addOwner();
    const other = await addPerson(server, newName());
    const { heard, session } = await watchWorkspaces(other, owner.user.id);
    await expect.poll(() => heard).toEqual(["update"]);
    const malformed = { workspaceOwnerId: new Uint8Array(3) };
    const refused = session.caller.serverStream(Tailnet.method.workspaceUpdates, malformed, never);
    await expect(refused[Symbol.asyncIterator]().next()).rejects.toThrow("workspace_owner_id");
  });
});

describe("a client that", () => {
  it.each([0, 5])("sends a node every %i ms is slowed down, and others go on", async (everyMs) => {
    const owner = await people.addOwner();
    const flood = new Coordination(await people.join(owner, owner.agentId));
    flood.send({ addTunnel: { id: encodeUuid(owner.agentId) } });
    const address = randomAddress();
    for (let number = 0; number < 400; number += 1) {
      flood.send({ updateSelf: { node: node(`flood-${number}`, address) } });
      if (everyMs > 0) await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
    const startedAt = performance.now();
    const heard = () => owner.agent.heard.filter((text) => text.includes("flood-")).length;
    await expect.poll(heard).toBeGreaterThan(30);
    await people.reach({ client: server.admin }, await people.addOwner());
    // 60 at once, and 4 a second.
    const seconds = (performance.now() - startedAt + 400 * everyMs) / 1000;
    expect(heard()).toBeLessThan(80 + 4 * seconds);
    expect(flood.heard).toEqual([`NODE ${owner.agentId} agent`]);
  });

  it("asks for many tunnels at once gets them all", async () => {
    const owner = await people.addOwner();
    const client = new Coordination(await people.join(owner, owner.agentId));
    const tunnel = { id: encodeUuid(owner.agentId) };
    for (let number = 0; number < 300; number += 1) {
      client.send({ addTunnel: tunnel }, { removeTunnel: tunnel });
    }
    client.send({ addTunnel: tunnel }, { updateSelf: { node: node("many") } });
    await expect
      .poll(() => owner.agent.heard.at(-1), { timeout: 20_000 })
      .toMatch(/^NODE .* many$/);
    expect(client.heard.at(-1)).toBe(`NODE ${owner.agentId} agent`);
  });

  it("never reads costs nothing but its own connection", { timeout: 60_000 }, async () => {
    const owner = await people.addOwner();
    const { session } = await people.reach(owner, owner);
    session.socket.pause();
    const { client } = await people.reach({ client: server.admin }, owner);
    const address = addressOf(owner.agentId);
    for (let number = 0; number < 40; number += 1) {
      owner.agent.send({ updateSelf: { node: node(`agent-${number}`, address) } });
    }
    await expect
      .poll(() => client.heard.at(-1), { timeout: 20_000 })
      .toBe(`NODE ${owner.agentId} agent-39`);
  });

  it("logs out, or loses its role, is cut off", async () => {
    const owner = await people.addOwner();
    for (const end of [
      ({ client }: Person) => client.call(logout, {}),
      ({ user }: Person) =>
        server.admin.call(updateUserRoles, { params: { user: user.id }, body: { roles: [] } }),
    ]) {
      const guest = await addPerson(server, newName(), ["owner"]);
      const { session } = await people.reach(guest, owner, { url: replica.url });
      await end(guest);
      await session.closed;
      await owner.agent.hears(expect.stringMatching(/^DISCONNECTED /));
    }
  });

  it("breaks its connection off is gone, one whose server closes is only lost", async () => {
    const owner = await people.addOwner();
    const { session } = await people.reach(owner, owner);
    session.socket.terminate();
    await owner.agent.hears(expect.stringMatching(/^LOST .* gone$/));
    const closing = await openReplica(server, secret);
    await people.reach(owner, owner, { url: closing.url });
    await closing[Symbol.asyncDispose]();
    await owner.agent.hears(expect.stringMatching(/^LOST (?!.* gone)/));
  });
});

it("an agent's latencies are seen by clients while it is on the network", async () => {
  const { agent, agentId, client } = await people.addOwner();
  const latency = async () => (await client.call(getAgent, { params: { agent: agentId } })).latency;
  const own = node("agent", addressOf(agentId));
  const derpLatency = { "999-v4": 0.5, "999-v6": 0.25, "1000-v4": 1 };
  agent.send({ updateSelf: { node: { ...own, derpLatency } } });
  await expect.poll(latency).toEqual({
    "Slipway Relay": { latency_ms: 250, preferred: true },
    "Unnamed 1000": { latency_ms: 1000, preferred: false },
  });
  agent.stop();
  await expect.poll(latency).toBeUndefined();
});

it("peers, tunnels and updates are counted", async () => {
  const read = async (): Promise<readonly number[]> => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    const names = ["peers", "tunnels", "updates_total"];
    return names.map((name) =>
      Number(new RegExp(`^slipway_coordinator_${name} (\\d+)$`, "m").exec(text)?.[1]),
    );
  };
  // The connections of other tests have ended.
  await expect.poll(read).toEqual([0, 0, expect.any(Number)]);
  const [, , updates = 0] = await read();
  const owner = await people.addOwner();
  const { client } = await people.reach(owner, owner);
  await expect.poll(read).toEqual([2, 1, updates + 2]);
  client.send({ removeTunnel: { id: encodeUuid(owner.agentId) } });
  await owner.agent.hears(expect.stringMatching(/^DISCONNECTED /));
  await expect.poll(read).toEqual([2, 0, updates + 4]);
});

it("an agent that is replaced by another session of its own is told so", async () => {
  const owner = await people.addOwner();
  const { client } = await people.reach(owner, owner);
  const { connection } = await connectWithToken(server.url, owner.token);
  onTestFinished(() => connection.close());
  const again = new Coordination({ caller: connection });
  await owner.agent.hears("peer ID overwritten by new connection", "end");
  await again.hears(expect.stringMatching(/^NODE /));
  expect(client.heard).toEqual([]);
});
