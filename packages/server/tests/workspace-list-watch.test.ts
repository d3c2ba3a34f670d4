import { randomUUID } from "node:crypto";

import { getTemplate } from "@slipway/api/templates/routes";
import { updateActiveVersion } from "@slipway/api/templates/version-routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import {
  createWorkspace,
  favoriteWorkspace,
  renameWorkspace,
} from "@slipway/api/workspaces/routes";
import { maxChangedIds } from "@slipway/api/workspaces/watch-routes";
import { systemClock } from "@slipway/runtime";
import { openTestDatabase, pushTemplate, waitForWorkspace } from "@slipway/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";

import { ListChanges } from "../src/features/workspaces/list-changes.ts";
import { fullGrant } from "../src/platform/http/caller.ts";
import { LocalListeners } from "../src/platform/pubsub/local-listeners.ts";
import { topics } from "../src/platform/pubsub/pubsub.ts";
import { holdOpen, waitForBlocked } from "./support/lock-waits.ts";
import { type OpenServer, openReplica, openServer } from "./support/open-server.ts";
import { addPerson, type Person } from "./support/people.ts";
import { seedBuild, seedWorkspace } from "./support/rows.ts";
import { openTextSocket, type TextSocket } from "./support/text-socket.ts";

/* The socket that tells lists of workspaces what has changed. */

const template = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";

let server: OpenServer;
let templateId = "";
let ann: Person;
let bob: Person;

beforeAll(async () => {
  server = await openServer(inject("postgresUrl"));
  templateId = await pushTemplate(server.admin, "outside", template);
  [ann, bob] = await Promise.all([addPerson(server, "ann"), addPerson(server, "bob")]);
});
afterAll(() => server[Symbol.asyncDispose]());

interface Watched {
  readonly socket: TextSocket;
  /** Returns what it was told: ids, or `many`. */
  readonly told: () => readonly string[];
}

/** Watches the lists of a user until the test ends, and resolves once it is told to read them. */
async function watchLists(
  { headers }: { readonly headers: Readonly<Record<string, string>> },
  serverUrl = server.url,
): Promise<Watched> {
  const url = `${serverUrl.replace("http", "ws")}/api/v2/workspaces/watch-ws`;
  const socket = openTextSocket(url, headers);
  onTestFinished(() => socket.raw.terminate());
  await socket.firstMessage;
  expect(socket.messages).toEqual(['{"workspaces":[],"many":true}']);
  const told = (): readonly string[] =>
    socket.messages.slice(1).flatMap((text) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the message of the route
      const message = JSON.parse(text) as { workspaces: string[]; many: boolean };
      return message.many ? ["many"] : message.workspaces;
    });
  return { socket, told };
}

async function make({ client }: Pick<Person, "client">, name: string): Promise<string> {
  const { id } = await client.call(createWorkspace, {
    params: { user: "me" },
    body: { name, template_id: templateId },
  });
  await waitForWorkspace(client, id, (one) => one.latest_build.status === "running");
  return id;
}

describe("a watched list", () => {
  it("tells of a user's own workspaces only, and an administrator of all", async () => {
    const [annList, bobList, all] = await Promise.all([
      watchLists(ann.client),
      watchLists(bob.client),
      watchLists(server.admin),
    ]);
    const id = await make(ann, "dev");
    await expect.poll(annList.told).toContain(id);
    await expect.poll(all.told).toContain(id);
    const other = await make(bob, "dev");
    await expect.poll(bobList.told).toContain(other);
    await expect.poll(all.told).toContain(other);
    expect(annList.told()).not.toContain(other);
    expect(bobList.told()).not.toContain(id);
  });

  it.each([
    [
      "renamed",
      (workspace: string) =>
        ann.client.call(renameWorkspace, { params: { workspace }, body: { name: "new-name" } }),
    ],
    [
      "made a favorite",
      (workspace: string) => ann.client.call(favoriteWorkspace, { params: { workspace } }),
    ],
    [
      "deleted",
      (workspace: string) =>
        ann.client.call(createBuild, { params: { workspace }, body: { transition: "delete" } }),
    ],
  ] as const)("tells that a workspace was %s, on another replica too", async (what, change) => {
    const replica = await openReplica(server);
    onTestFinished(() => replica[Symbol.asyncDispose]());
    const id = await make(ann, what.replaceAll(" ", "-"));
    const lists = await Promise.all([watchLists(ann.client), watchLists(ann.client, replica.url)]);
    await change(id);
    for (const { told } of lists) await expect.poll(told).toContain(id);
  });

  it("tells of what changes while it reads whose another change was", async () => {
    await using database = await openTestDatabase(inject("postgresUrl"));
    const { db } = database;
    const [one, other] = [await seedWorkspace(db), randomUUID()];
    await seedBuild(db, one, { number: 1, transition: "start", job: "succeeded" });
    const listeners = new LocalListeners();
    const pubsub = { subscribe: listeners.add.bind(listeners), publish: () => undefined };
    const changes = new ListChanges({ db, pubsub, clock: systemClock });
    const stop = new AbortController();
    const owner = { id: one.userId, username: "ann", roles: [], keyId: "", grant: fullGrant };
    const told = changes.watch({ ...owner, origin: undefined }, stop.signal);
    expect(await told.next()).toEqual({ value: "many", done: false });
    await using owners = await holdOpen(db, (trx) =>
      sql`lock table workspace_states in access exclusive mode`.execute(trx),
    );
    const next = told.next();
    listeners.hint(topics.workspace(other));
    await waitForBlocked(db);
    listeners.hint(topics.workspace(one.workspaceId));
    await owners.commit();
    expect((await next).value).toEqual(new Set([one.workspaceId]));
    stop.abort();
  });

  it("tells of more changes than it names as of many", async () => {
    const { told } = await watchLists(server.admin);
    const hinted = Array.from(
      { length: maxChangedIds + 1 },
      (_, at) => `workspace:11111111-1111-4111-8111-${String(at).padStart(12, "0")}`,
    );
    await sql`select pg_notify('slipway', ${`\n${hinted.join("\n")}`})`.execute(server.db);
    await expect.poll(told).toEqual(["many"]);
  });

  it("tells of a template whose active version has changed as of many", async () => {
    const { told } = await watchLists(ann.client);
    const { active_version_id: id } = await server.admin.call(getTemplate, {
      params: { template: templateId },
    });
    await server.admin.call(updateActiveVersion, {
      params: { template: templateId },
      body: { id },
    });
    await expect.poll(told).toEqual(["many"]);
  });

  it("gathers changes", async () => {
    const id = await make(ann, "busy");
    const { socket, told } = await watchLists(ann.client);
    const startMs = performance.now();
    for (let at = 0; at < 20; at += 1) {
      const params = { workspace: id };
      await ann.client.call(renameWorkspace, { params, body: { name: `busy-${at}` } });
    }
    await expect.poll(told).toContain(id);
    const most = 2 + Math.ceil((performance.now() - startMs) / 100);
    expect(socket.messages.length - 1).toBeLessThanOrEqual(most);
  });

  it("does not listen to its reader", async () => {
    const { socket } = await watchLists(ann.client);
    socket.raw.send("hello");
    expect((await socket.ended).code).toBe(1002);
  });
});
