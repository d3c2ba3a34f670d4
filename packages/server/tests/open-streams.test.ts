import { once } from "node:events";

import { createKey, deleteKey, expireKey } from "@slipway/api/users/key-routes";
import { deleteUser, suspendUser, updateUserRoles } from "@slipway/api/users/routes";
import { createWorkspace } from "@slipway/api/workspaces/routes";
import { firstAgent, openClient, pushTemplate, waitForWorkspace } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { WebSocket } from "ws";

import { type OpenServer, openReplica, openServer } from "./support/open-server.ts";
import { addPerson, type Client } from "./support/people.ts";

const template = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";

let server: OpenServer;
let replica: { readonly url: string } & AsyncDisposable;
let templateId = "";

beforeAll(async () => {
  server = await openServer(inject("postgresUrl"));
  replica = await openReplica(server);
  templateId = await pushTemplate(server.admin, "outside", template);
});
afterAll(async () => {
  await replica[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** An open stream: its state, and its last message. */
interface Stream {
  /** Resolves to the close code, or for events to their last text. */
  readonly ended: Promise<number | string>;
}

interface SocketStream extends Stream {
  /** Resolves when the server has answered a ping; rejects when the socket is closed. */
  readonly ping: () => Promise<void>;
}

/** Opens a socket, and resolves when it is open. */
async function openSocket(url: string, path: string, client: Client): Promise<SocketStream> {
  const address = `${url.replace("http", "ws")}/api/v2${path}`;
  const socket = new WebSocket(address, { headers: client.headers });
  const opened = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<number>();
  socket.on("open", () => opened.resolve());
  socket.on("error", opened.reject);
  socket.on("close", ended.resolve);
  await opened.promise;
  const ping = async (): Promise<void> => {
    const closed = ended.promise.then((code): never => {
      throw new Error(`closed with ${code}`);
    });
    const answered = once(socket, "pong");
    socket.ping();
    await Promise.race([answered, closed]);
  };
  return { ended: ended.promise, ping };
}

async function openEvents(url: string, path: string, client: Client): Promise<Stream> {
  const response = await fetch(`${url}/api/v2${path}`, { headers: client.headers });
  expect(response.status).toBe(200);
  return { ended: response.text() };
}

/** Creates a member with a running workspace, who watches it in every way on both replicas. */
async function openAll(name: string, roles: Parameters<typeof addPerson>[2] = []) {
  const { user, client } = await addPerson(server, name, roles);
  const made = await client.call(createWorkspace, {
    params: { user: "me" },
    body: { name: "dev", template_id: templateId },
  });
  const running = await waitForWorkspace(
    client,
    made.id,
    (one) => one.latest_build.status === "running",
  );
  const agentId = firstAgent(running)?.id ?? "";
  const paths = [
    `/workspaces/${made.id}/watch-ws`,
    `/workspaceagents/${agentId}/logs?follow`,
    `/workspaceagents/${agentId}/watch-metadata-ws`,
    "/notifications/inbox/watch",
  ];
  const events = [`/workspaces/${made.id}/watch`, `/workspaceagents/${agentId}/watch-metadata`];
  const urls = [server.url, replica.url];
  return {
    user,
    client,
    sockets: await Promise.all(
      urls.flatMap((url) => paths.map((path) => openSocket(url, path, client))),
    ),
    events: await Promise.all(
      urls.flatMap((url) => events.map((path) => openEvents(url, path, client))),
    ),
  };
}

async function expectEnd(open: Awaited<ReturnType<typeof openAll>>): Promise<void> {
  for (const { ended } of open.sockets) expect(await ended).toBe(1008);
  for (const { ended } of open.events) {
    expect(await ended).toContain('event: error\ndata: {"message":"You are signed out');
  }
}

describe("open streams of a user", () => {
  it("end on every replica when the user is suspended, and others' stay open", async () => {
    const ann = await openAll("ann");
    const bob = await openAll("bob");
    const startedAt = performance.now();
    await server.admin.call(suspendUser, { params: { user: ann.user.id } });
    await expectEnd(ann);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    // Each still responds.
    await Promise.all(bob.sockets.map(({ ping }) => ping()));
    await server.admin.call(suspendUser, { params: { user: bob.user.id } });
    await expectEnd(bob);
  });

  it("end when the session is deleted, expires or is logged out of", async () => {
    const keyOf = ({ headers }: Client): string =>
      headers["Coder-Session-Token"]?.split("-")[0] ?? "";
    const cat = await openAll("cat");
    await cat.client.call(deleteKey, { params: { user: "me", key: keyOf(cat.client) } });
    await expectEnd(cat);
    const dan = await openAll("dan");
    await dan.client.call(expireKey, { params: { user: "me", key: keyOf(dan.client) } });
    await expectEnd(dan);
    const eve = await openAll("eve");
    expect(await server.request("POST", "/users/logout", undefined, eve.client)).toMatchObject({
      status: 200,
    });
    await expectEnd(eve);
  });

  it("end when whoever made their session is suspended", async () => {
    const maker = await addPerson(server, "hal", ["owner"]);
    const { user } = await addPerson(server, "ida");
    const { key } = await maker.client.call(createKey, { params: { user: user.id } });
    const borrowed = openClient(server.url, key);
    const inbox = await openSocket(replica.url, "/notifications/inbox/watch", borrowed);
    await server.admin.call(suspendUser, { params: { user: maker.user.id } });
    expect(await inbox.ended).toBe(1008);
  });

  it("end when the user is deleted, or when their roles change", async () => {
    const { user, client } = await addPerson(server, "fay");
    const inbox = await openSocket(replica.url, "/notifications/inbox/watch", client);
    await server.admin.call(deleteUser, { params: { user: user.id } });
    expect(await inbox.ended).toBe(1008);
    const gus = await openAll("gus", ["template-admin"]);
    await server.admin.call(updateUserRoles, {
      params: { user: gus.user.id },
      body: { roles: [] },
    });
    await expectEnd(gus);
    expect(await server.request("GET", "/users/me", undefined, gus.client)).toMatchObject({
      status: 200,
    });
  });
});

describe("the number of open streams of a user", () => {
  let limited: OpenServer;
  let path = "";
  let log = "";
  /** The streams that stay open until the server closes. */
  const ignore = (): void => {};

  beforeAll(async () => {
    limited = await openServer(inject("postgresUrl"), {
      SLIPWAY_MAX_WATCHES_PER_USER: "3",
      SLIPWAY_MAX_STREAMS_PER_USER: "5",
    });
    const id = await pushTemplate(limited.admin, "outside", template);
    const made = await limited.admin.call(createWorkspace, {
      params: { user: "me" },
      body: { name: "dev", template_id: id },
    });
    path = `/workspaces/${made.id}`;
    const running = await waitForWorkspace(
      limited.admin,
      made.id,
      (one) => one.latest_build.status === "running",
    );
    log = `/workspaceagents/${firstAgent(running)?.id}/logs?follow`;
  });
  afterAll(() => limited[Symbol.asyncDispose]());

  it("stays within the limits, also when many are opened at once", async () => {
    const { client } = await addPerson(limited, "hal", ["owner"]);
    const open = (at: number): Promise<Stream> =>
      at % 2 === 0
        ? openSocket(limited.url, `${path}/watch-ws`, client)
        : openEvents(limited.url, `${path}/watch`, client);
    const opened = await Promise.allSettled(Array.from({ length: 12 }, (_, at) => open(at)));
    const kept = opened.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    // Of sockets that were admitted together, the excess is closed immediately.
    const codes: unknown[] = [];
    for (const { ended } of kept) void ended.then((end) => codes.push(end), ignore);
    await expect.poll(() => kept.length - codes.length).toBe(3);
    expect(codes.every((code) => code === 1013)).toBe(true);

    const refused = await fetch(`${limited.url}/api/v2${path}/watch`, { headers: client.headers });
    expect(refused.status).toBe(429);
    expect(await refused.json()).toEqual({
      message: "The limit of 3 watches per user is reached.",
      detail:
        "You have 3 watches open on this server. Close some that you no longer read. An administrator can raise SLIPWAY_MAX_WATCHES_PER_USER.",
    });
    // The user's other streams have room, within the total; other users have separate limits.
    for (let count = 0; count < 2; count += 1) await openSocket(limited.url, log, client);
    await expect(openSocket(limited.url, log, client)).rejects.toThrow("429");
    await openSocket(limited.url, `${path}/watch-ws`, limited.admin);
  });
});
