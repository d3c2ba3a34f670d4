import { randomBytes, randomUUID } from "node:crypto";

import type { ConnectionLog } from "@slipway/api/agents/connection-log-routes";
import { listConnectionLogs } from "@slipway/api/agents/connection-log-routes";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import { Agent, Connection_Action, Connection_Type } from "@slipway/wire/protobuf/gen/agent_pb";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { deleteOldVisits } from "../src/features/agents/connections/visits.ts";
import { Coordination } from "./support/network-client.ts";
import {
  NetworkPeople,
  newName,
  node,
  type Owner,
  randomAddress,
  resumeToken,
} from "./support/network-people.ts";
import { openReplica, openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson, type Person } from "./support/people.ts";

/* The users to whom reported connections are attributed. */

const opened = new AsyncDisposableStack();
const environment = {
  SLIPWAY_SECRET_KEY: randomBytes(32).toString("hex"),
  SLIPWAY_TRUSTED_PROXIES: "127.0.0.1,::1",
};
const seenAt = "203.0.113.9";
const never = new AbortController().signal;
let server: OpenServer;
let replica: { readonly url: string };
let people: NetworkPeople;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl"), environment));
  replica = opened.use(await openReplica(server, environment));
  people = await NetworkPeople.open(server);
});

afterAll(() => opened.disposeAsync());

/** A person who may reach every agent. */
function addGuest(): Promise<Person> {
  return addPerson(server, newName(), ["owner"]);
}

/** Connects as a client at an address inside the network, from an address outside; the agent is notified. */
async function reach(
  guest: Person,
  { agentId, agent }: Owner,
  address: string,
  { url = server.url, from = seenAt, token = "" } = {},
): Promise<Coordination> {
  const headers = { "x-forwarded-for": from };
  const session = await people.join(guest, agentId, { url, headers, token });
  const client = new Coordination(session);
  const name = newName();
  client.send({ addTunnel: { id: encodeUuid(agentId) } });
  client.send({ updateSelf: { node: node(name, address) } });
  await expect.poll(() => agent.heard.at(-1)).toMatch(new RegExp(`^NODE .* ${name}$`));
  return client;
}

/** Says goodbye; the agent is notified. */
async function leave(client: Coordination, { agent }: Owner): Promise<void> {
  client.send({ disconnect: {} });
  await expect.poll(() => agent.heard.at(-1)).toMatch(/^DISCONNECTED /);
}

interface Report {
  readonly id?: string;
  readonly action?: Connection_Action;
}

const { DISCONNECT } = Connection_Action;

/** Reports a connection as an agent. */
async function report(
  { connection }: Owner,
  ip: string,
  { id = randomUUID(), action = Connection_Action.CONNECT }: Report = {},
): Promise<string> {
  const request = {
    connection: { type: Connection_Type.SSH, action, ip, id: encodeUuid(id) },
  };
  await connection.unary(Agent.method.reportConnection, request, never);
  return id;
}

async function find(q: string): Promise<readonly ConnectionLog[]> {
  return (await server.admin.call(listConnectionLogs, { query: { q } })).connection_logs;
}

/** Returns the user and address to which a connection is attributed. */
async function blamed(id: string): Promise<readonly (string | undefined)[]> {
  const [entry] = await find(`connection_id:${id}`);
  return [entry?.user?.id, entry?.ip];
}

describe("a connection", () => {
  it("is of the client that has the address, however that is written, from where the server saw it", async () => {
    const [owner, guest] = [await people.addOwner(), await addGuest()];
    const address = randomAddress();
    await reach(guest, owner, address);
    const id = await report(owner, address.toUpperCase());
    const [entry] = await find(`connection_id:${id}`);
    expect(entry).toMatchObject({
      user: { id: guest.user.id, username: guest.user.username },
      ip: seenAt,
      workspace_owner_id: owner.user.id,
    });
  });

  it("is of the right one of several clients of one agent, on any replica", async () => {
    const [owner, one, other] = [await people.addOwner(), await addGuest(), await addGuest()];
    const [first, second] = [randomAddress(), randomAddress()];
    await reach(one, owner, first);
    await reach(other, owner, second, { url: replica.url, from: "198.51.100.4" });
    expect(await blamed(await report(owner, second))).toEqual([other.user.id, "198.51.100.4"]);
    expect(await blamed(await report(owner, first))).toEqual([one.user.id, seenAt]);
  });

  it("is of the address from which a client came back, with its node or for a tunnel", async () => {
    const [owner, guest] = [await people.addOwner(), await addGuest()];
    const address = randomAddress();
    const session = await people.join(guest, owner.agentId);
    const token = await resumeToken(session);
    await session[Symbol.asyncDispose]();
    await reach(guest, owner, address, { token });
    const self = { updateSelf: { node: node("again", address) } };
    const tunnel = { addTunnel: { id: encodeUuid(owner.agentId) } };
    for (const [from, request] of Object.entries({
      "198.51.100.5": self,
      "198.51.100.6": tunnel,
    })) {
      const headers = { "x-forwarded-for": from };
      const back = new Coordination(await people.join(guest, owner.agentId, { token, headers }));
      back.send(request);
      await expect
        .poll(async () => blamed(await report(owner, address)))
        .toEqual([guest.user.id, from]);
    }
  });

  it("is reported in time until minutes after the client said goodbye, and not later", async () => {
    const [owner, guest] = [await people.addOwner(), await addGuest()];
    const address = randomAddress();
    await leave(await reach(guest, owner, address), owner);
    expect(await blamed(await report(owner, address))).toEqual([guest.user.id, seenAt]);
    for (const expected of [
      [guest.user.id, seenAt],
      [undefined, undefined],
    ]) {
      await sql`update tailnet_visits set left_at = left_at - interval '2 minutes'
        where agent_id = ${owner.agentId}`.execute(server.db);
      expect(await blamed(await report(owner, address))).toEqual(expected);
    }
  });

  it("is of the client that is there, not of one that has left its address", async () => {
    const [owner, guest] = [await people.addOwner(), await addGuest()];
    const address = randomAddress();
    await leave(await reach(guest, owner, address), owner);
    await reach(guest, owner, address, { from: "198.51.100.4" });
    const id = await report(owner, address);
    expect(await blamed(id)).toEqual([guest.user.id, "198.51.100.4"]);
  });

  it("is of a client that closed only its tunnel", async () => {
    const [owner, guest] = [await people.addOwner(), await addGuest()];
    const address = randomAddress();
    const client = await reach(guest, owner, address);
    client.send({ removeTunnel: { id: encodeUuid(owner.agentId) } });
    await expect.poll(() => owner.agent.heard.at(-1)).toMatch(/^DISCONNECTED /);
    expect(await blamed(await report(owner, address))).toEqual([guest.user.id, seenAt]);
  });

  it("stays its first user's when it is reported again, and gets one when an early report had none", async () => {
    const [owner, one, other] = [await people.addOwner(), await addGuest(), await addGuest()];
    const [first, second] = [randomAddress(), randomAddress()];
    await reach(one, owner, first);
    await reach(other, owner, second, { from: "198.51.100.4" });
    const id = await report(owner, first);
    await report(owner, second, { id, action: DISCONNECT });
    expect(await blamed(id)).toEqual([one.user.id, seenAt]);
    const early = await report(owner, "");
    expect(await blamed(early)).toEqual([undefined, undefined]);
    await report(owner, second, { id: early, action: DISCONNECT });
    expect(await blamed(early)).toEqual([other.user.id, "198.51.100.4"]);
    expect(await find(`connection_id:${early}`)).toHaveLength(1);
  });

  it("is found by whoever connected", async () => {
    const [owner, guest] = [await people.addOwner(), await addGuest()];
    const address = randomAddress();
    await reach(guest, owner, address);
    const id = await report(owner, address);
    await report(owner, "");
    for (const q of [`username:${guest.user.username}`, `user_email:${guest.user.email}`]) {
      expect((await find(q)).map((entry) => entry.id)).toEqual([id]);
    }
    const query = { q: "username:me" };
    const { connection_logs: mine } = await guest.client.call(listConnectionLogs, { query });
    expect(mine.map((entry) => entry.id)).toEqual([id]);
  });
});

describe("an agent that blames somebody", () => {
  it("is not believed about a client of another agent, even of the same owner", async () => {
    const [owner, guest] = [await people.addOwner(), await addGuest()];
    const second = await people.addOwner(owner);
    const address = randomAddress();
    const client = await reach(guest, owner, address);
    expect(await blamed(await report(second, address))).toEqual([undefined, undefined]);
    await leave(client, owner);
    expect(await blamed(await report(second, address))).toEqual([undefined, undefined]);
  });

  it.each(["192.0.2.7", "localhost", "fd7a:115c:a1e0::1%eth0", "nonsense"])(
    "is not believed about the address %j",
    async (ip) => {
      const owner = await people.addOwner();
      expect(await blamed(await report(owner, ip))).toEqual([undefined, undefined]);
    },
  );

  it("is not believed about a key or a name in the place of an address", async () => {
    const [owner, guest] = [await people.addOwner(), await addGuest()];
    await reach(guest, owner, randomAddress());
    const { rows } = await sql<{ value: string }>`
      select unnest(reserved) as value from tailnet_peers
        where holder = ${`user:${guest.user.id}`}`.execute(server.db);
    const others = rows.map(({ value }) => value).filter((value) => !value.startsWith("fd7a:"));
    expect(others).not.toEqual([]);
    for (const value of others) {
      expect(await blamed(await report(owner, value))).toEqual([undefined, undefined]);
    }
  });
});

it("forgets clients that left minutes ago, and no others", async () => {
  const [owner, guest] = [await people.addOwner(), await addGuest()];
  const client = await reach(guest, owner, randomAddress());
  await leave(client, owner);
  await leave(await reach(guest, owner, randomAddress()), owner);
  const visits = sql<{ peer_id: string }>`
    select peer_id from tailnet_visits where agent_id = ${owner.agentId} order by left_at`;
  const { rows } = await visits.execute(server.db);
  expect(rows).toHaveLength(2);
  await sql`update tailnet_visits set left_at = now() - interval '4 minutes'
    where peer_id = ${rows[0]?.peer_id}`.execute(server.db);
  await deleteOldVisits(server.db);
  expect((await visits.execute(server.db)).rows).toEqual(rows.slice(1));
});
