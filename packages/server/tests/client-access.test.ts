import { randomBytes } from "node:crypto";

import { deleteUser, logout, suspendUser, updateUserRoles } from "@slipway/api/users/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { logIn } from "@slipway/testkit";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { Coordination, type NetworkSession } from "./support/network-client.ts";
import {
  addressOf,
  NetworkPeople,
  newName,
  node,
  type Owner,
  randomAddress,
  resumeToken,
} from "./support/network-people.ts";
import { openReplica, openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson, type Person, testPassword } from "./support/people.ts";

/* Clients whose access ends: an agent that is not told keeps them for as long as they make handshakes. */

const opened = new AsyncDisposableStack();
const secret = { SLIPWAY_SECRET_KEY: randomBytes(32).toString("hex") };
let server: OpenServer;
let people: NetworkPeople;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl"), secret));
  people = await NetworkPeople.open(server);
});

afterAll(() => opened.disposeAsync());

/** Calls `Coordinate` for an agent, which is notified of it. */
async function call(
  session: NetworkSession,
  { agentId, agent }: Owner,
  address: string,
): Promise<Coordination> {
  const client = new Coordination(session);
  const name = newName();
  client.send(
    { addTunnel: { id: encodeUuid(agentId) } },
    { updateSelf: { node: node(name, address) } },
  );
  await expect.poll(() => agent.heard.at(-1)).toMatch(new RegExp(`^NODE .* ${name}$`));
  return client;
}

async function isLost({ agent }: Owner): Promise<void> {
  await expect.poll(() => agent.heard.at(-1)).toMatch(/^LOST /);
}

/** The ways in which a client may have called and returned. */
const pasts: Readonly<Record<string, (guest: Person, owner: Owner) => Promise<unknown>>> = {
  connected: async (guest, owner) =>
    call(await people.join(guest, owner.agentId), owner, randomAddress()),
  "lost, in an open session": async (guest, owner) => {
    (await call(await people.join(guest, owner.agentId), owner, randomAddress())).stop();
    await isLost(owner);
  },
  "lost with its session": async (guest, owner) => {
    const session = await people.join(guest, owner.agentId);
    await call(session, owner, randomAddress());
    session.socket.terminate();
    await isLost(owner);
  },
  "connected by its second call": async (guest, owner) => {
    const session = await people.join(guest, owner.agentId);
    const address = randomAddress();
    (await call(session, owner, address)).stop();
    await isLost(owner);
    await call(session, owner, address);
  },
  "lost twice, and with its session": async (guest, owner) => {
    const session = await people.join(guest, owner.agentId);
    const address = randomAddress();
    for (let time = 0; time < 2; time += 1) {
      (await call(session, owner, address)).stop();
      await isLost(owner);
    }
    await session[Symbol.asyncDispose]();
  },
  "lost as a resumed peer": async (guest, owner) => {
    const first = await people.join(guest, owner.agentId);
    const address = randomAddress();
    const token = await resumeToken(first);
    await call(first, owner, address);
    const second = await people.join(guest, owner.agentId, { token });
    await call(second, owner, address);
    await first[Symbol.asyncDispose]();
    second.socket.terminate();
    await isLost(owner);
  },
};

const ends: Readonly<Record<string, (guest: Person) => Promise<unknown>>> = {
  "is suspended": ({ user }) => server.admin.call(suspendUser, { params: { user: user.id } }),
  "is deleted": ({ user }) => server.admin.call(deleteUser, { params: { user: user.id } }),
  "loses its role": ({ user }) =>
    server.admin.call(updateUserRoles, { params: { user: user.id }, body: { roles: [] } }),
  "logs out": ({ client }) => client.call(logout, {}),
};

describe.each(Object.entries(ends))("a client that %s", (_, end) => {
  it(
    "is forgotten by its agent, whatever it called and lost before",
    { timeout: 60_000 },
    async () => {
      const owner = await people.addOwner();
      const guests: Person[] = [];
      for (const past of Object.values(pasts)) {
        const guest = await addPerson(server, newName(), ["owner"]);
        guests.push(guest);
        await past(guest, owner);
      }
      const clients = new Set(owner.agent.heard.map((text) => text.split(" ")[1]));
      expect(clients.size).toBe(guests.length);
      owner.agent.heard.length = 0;
      for (const guest of guests) await end(guest);
      await expect
        .poll(() => owner.agent.heard.toSorted(), { timeout: 12_000 })
        .toEqual([...clients].map((id) => `DISCONNECTED ${id}`).toSorted());
    },
  );
});

describe("a client that", () => {
  it("is suspended is cut off, and its agent told to forget it", async () => {
    const owner = await people.addOwner();
    const guest = await addPerson(server, newName(), ["owner"]);
    const { session } = await people.reach(guest, owner);
    await server.admin.call(suspendUser, { params: { user: guest.user.id } });
    await session.closed;
    await owner.agent.hears(expect.stringMatching(/^DISCONNECTED /));
  });

  it("breaks its connection off before it is suspended is forgotten all the same", async () => {
    const owner = await people.addOwner();
    const guest = await addPerson(server, newName(), ["owner"]);
    const { session } = await people.reach(guest, owner);
    session.socket.terminate();
    await owner.agent.hears(expect.stringMatching(/^LOST /));
    await server.admin.call(suspendUser, { params: { user: guest.user.id } });
    await owner.agent.hears(expect.stringMatching(/^DISCONNECTED /));
  });

  it("was connected to a server that is gone is forgotten once its access ends", async () => {
    const owner = await people.addOwner();
    const [guest, other] = [
      await addPerson(server, newName(), ["owner"]),
      await addPerson(server, newName(), ["owner"]),
    ];
    const dying = await openReplica(server, secret);
    await people.reach(guest, owner, { url: dying.url });
    await people.reach(other, owner, { url: dying.url });
    await dying[Symbol.asyncDispose]();
    const lost = expect.stringMatching(/^LOST /);
    await owner.agent.hears(lost, lost);
    await server.admin.call(suspendUser, { params: { user: guest.user.id } });
    await owner.agent.hears(expect.stringMatching(/^DISCONNECTED /));
    await other.client.call(logout, {});
    await owner.agent.hears(expect.stringMatching(/^DISCONNECTED /));
  });

  it("reaches a workspace that is deleted is cut off", async () => {
    const owner = await people.addOwner();
    const { session } = await people.reach(owner, owner);
    const params = { workspace: owner.workspaceId };
    await owner.client.call(createBuild, { params, body: { transition: "delete" } });
    await session.closed;
    await expect(people.join(owner, owner.agentId)).rejects.toThrow(/^404/);
  });
});

describe("a client with two keys", () => {
  it("stays by the one with which it came back, and goes with that", async () => {
    const owner = await people.addOwner();
    const guest = await addPerson(server, newName(), ["owner"]);
    const credentials = { email: guest.user.email, password: testPassword };
    const again = { ...guest, client: await logIn(server.url, credentials) };
    const first = await people.join(guest, owner.agentId);
    const token = await resumeToken(first);
    const address = randomAddress();
    await call(first, owner, address);
    const second = await call(await people.join(again, owner.agentId, { token }), owner, address);
    owner.agent.heard.length = 0;
    await guest.client.call(logout, {});
    await first.closed;
    second.send({ updateSelf: { node: node("still", address) } });
    await owner.agent.hears(expect.stringMatching(/^NODE .* still$/));
    await again.client.call(logout, {});
    await owner.agent.hears(expect.stringMatching(/^DISCONNECTED /));
  });
});

describe("a lost client", () => {
  it("of the agent's own owner is forgotten when its key ends", async () => {
    const owner = await people.addOwner();
    const credentials = { email: owner.user.email, password: testPassword };
    const again = { ...owner, client: await logIn(server.url, credentials) };
    const session = await people.join(again, owner.agentId);
    await call(session, owner, randomAddress());
    session.socket.terminate();
    await isLost(owner);
    owner.agent.heard.length = 0;
    await again.client.call(logout, {});
    await owner.agent.hears(expect.stringMatching(/^DISCONNECTED /));
  });

  it("loses its tunnel to an agent that is gone, and no other", async () => {
    const [owner, other] = [await people.addOwner(), await people.addOwner()];
    const guest = await addPerson(server, newName(), ["owner"]);
    const session = await people.joinTailnet(guest);
    const client = new Coordination(session);
    for (const { agentId } of [owner, other])
      client.send({ addTunnel: { id: encodeUuid(agentId) } });
    client.send({ updateSelf: { node: node("both") } });
    for (const { agent } of [owner, other])
      await agent.hears(expect.stringMatching(/^NODE .* both$/));
    session.socket.terminate();
    for (const { agent } of [owner, other]) await agent.hears(expect.stringMatching(/^LOST /));
    const params = { workspace: owner.workspaceId };
    await owner.client.call(createBuild, { params, body: { transition: "delete" } });
    const destinations = async () => {
      const rows = await server.db.selectFrom("tailnet_tunnels").select("dst_id").execute();
      return rows
        .map((row) => row.dst_id)
        .filter((id) => [owner, other].some(({ agentId }) => agentId === id));
    };
    await expect.poll(destinations, { timeout: 12_000 }).toEqual([other.agentId]);
    expect(other.agent.heard).toEqual([]);
  });

  it("of a server that is gone is forgotten once its role is, and not before", async () => {
    const owner = await people.addOwner();
    const guests = [
      await addPerson(server, newName(), ["owner"]),
      await addPerson(server, newName(), ["owner"]),
    ];
    const dying = await openReplica(server, secret);
    for (const guest of guests) await people.reach(guest, owner, { url: dying.url });
    await dying[Symbol.asyncDispose]();
    const lost = expect.stringMatching(/^LOST /);
    await owner.agent.hears(lost, lost);
    const [first] = guests;
    const params = { user: first?.user.id ?? "" };
    await server.admin.call(updateUserRoles, { params, body: { roles: ["auditor"] } });
    await owner.agent.hears(expect.stringMatching(/^DISCONNECTED /));
  });
});

describe("a client of any agent", () => {
  it.each(["a second call", "a resumed session"])(
    "claims no address of an agent that it reaches, over %s either",
    async (how) => {
      const owner = await people.addOwner();
      const session = await people.joinTailnet(owner);
      const tunnel = { addTunnel: { id: encodeUuid(owner.agentId) } };
      const claim = { updateSelf: { node: node("thief", addressOf(owner.agentId)) } };
      const again = async () => {
        const next =
          how === "a second call"
            ? session
            : await people.joinTailnet(owner, { token: await resumeToken(session) });
        return new Coordination(next);
      };
      // The earlier tunnels remain, so that it may also learn of the agent.
      const isRefused = (client: Coordination) =>
        expect
          .poll(() => client.heard.slice(-2))
          .toEqual([expect.stringContaining("invalid node address"), "end"]);
      const first = new Coordination(session);
      first.send(tunnel);
      await first.hears(`NODE ${owner.agentId} agent`);
      const second = await again();
      second.send(claim);
      await isRefused(second);
      // The opposite order: first the address, later the tunnel.
      const other = await people.addOwner(owner);
      const third = await again();
      third.send({ updateSelf: { node: node("thief", addressOf(other.agentId)) } });
      third.send({ addTunnel: { id: encodeUuid(owner.agentId) } });
      await third.hears(`NODE ${owner.agentId} agent`);
      const fourth = await again();
      fourth.send({ addTunnel: { id: encodeUuid(other.agentId) } });
      await isRefused(fourth);
      expect(other.agent.heard).toEqual([]);
    },
  );
});
