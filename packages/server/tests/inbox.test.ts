import {
  listInboxNotifications,
  markAllInboxNotificationsRead,
  updateInboxReadStatus,
} from "@slipway/api/notifications/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import {
  connectExternalAgent,
  makeWorkspace,
  pushTemplate,
  requireAgent,
  waitForWorkspace,
} from "@slipway/testkit";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";

import { connectionTemplateId } from "../src/features/notifications/inbox-service.ts";
import { insertOwnMessage, pruneInbox } from "../src/features/notifications/queries.ts";
import { Coordination, joinNetwork } from "./support/network-client.ts";
import { type OpenServer, openServer } from "./support/open-server.ts";
import { addPerson, type Person } from "./support/people.ts";
import { watchInbox } from "./support/watch-inbox.ts";

/* Notifications to owners of workspaces about other users who connect to them. */

let server: OpenServer;
let templateId = "";
let ann: Person["client"];
let bob: Person["client"];

beforeAll(async () => {
  server = await openServer(inject("postgresUrl"));
  templateId = await pushTemplate(
    server.admin,
    "outside",
    "driver: external\nagents: { main: { os: linux, arch: amd64 } }\n",
  );
  ({ client: ann } = await addPerson(server, "ann"));
  ({ client: bob } = await addPerson(server, "bob"));
});
afterAll(() => server[Symbol.asyncDispose]());

const make = (name: string): Promise<Workspace> => makeWorkspace(ann, name, templateId, () => true);

/** Opens a tunnel to a workspace, as `ssh` and `port-forward` do. */
async function connect(client: Person["client"], workspace: Workspace): Promise<void> {
  const { id } = requireAgent(workspace);
  const session = await joinNetwork(
    server.url,
    `/workspaceagents/${id}/coordinate?version=2.0`,
    client.headers,
  );
  onTestFinished(() => session[Symbol.asyncDispose]());
  new Coordination(session).send({ addTunnel: { id: encodeUuid(id) } });
}

async function inbox(client: Person["client"], query: Record<string, string> = {}) {
  return client.call(listInboxNotifications, { query });
}

describe("the owner of a workspace", () => {
  it("learns of another user who connects, once an hour, at once if they watch", async () => {
    const workspace = await make("one");
    const messages = await watchInbox(server.url, ann, "format=plaintext");
    await connect(server.admin, workspace);
    await expect.poll(() => messages.length).toBe(1);
    const notification = {
      template_id: connectionTemplateId,
      targets: [workspace.id],
      title: "admin connected to one",
      content: "The user admin connected to your workspace one.",
      read_at: null,
    };
    expect(JSON.parse(messages[0] ?? "")).toMatchObject({ notification, unread_count: 1 });
    await connect(server.admin, workspace);
    const other = await make("two");
    await connect(server.admin, other);
    await expect.poll(() => messages.length).toBe(2);
    expect(messages[1]).toContain("admin connected to two");
    expect(await inbox(ann, { targets: workspace.id })).toMatchObject({
      notifications: [notification],
      unread_count: 2,
    });
    expect(await inbox(server.admin)).toMatchObject({ notifications: [], unread_count: 0 });
    expect(await inbox(bob)).toMatchObject({ notifications: [], unread_count: 0 });
  });

  it("learns of a terminal, and of nothing that they open themselves or others may not", async () => {
    const workspace = await make("terminal");
    const { connection } = await connectExternalAgent(ann, workspace.id, "main");
    onTestFinished(() => connection.close());
    await waitForWorkspace(ann, workspace.id, (one) => requireAgent(one).status === "connected");
    const path = `/workspaceagents/${requireAgent(workspace).id}/pty?reconnect=${workspace.id}&width=80&height=24`;
    const open = (client: Person["client"]): Promise<void> =>
      new Promise((resolve) => {
        const url = `${server.url.replace("http", "ws")}/api/v2${path}`;
        const socket = new WebSocket(url, { headers: client.headers });
        onTestFinished(() => socket.terminate());
        socket.on("error", () => resolve());
        socket.on("open", () => resolve());
      });
    await open(bob);
    await open(ann);
    await connect(ann, workspace);
    await open(server.admin);
    const query = { targets: workspace.id };
    await expect.poll(async () => (await inbox(ann, query)).notifications.length).toBe(1);
    expect((await inbox(ann, query)).notifications[0]?.title).toBe("admin connected to terminal");
  });
});

it.each([
  ["files", "GET", "/files?path=/", undefined],
  ["runs", "POST", "/runs", { command: "true" }],
])(
  "the owner of a workspace learns of its use through the server: %s",
  async (name, method, path, body) => {
    const workspace = await make(name);
    const { connection } = await connectExternalAgent(ann, workspace.id, "main");
    onTestFinished(() => connection.close());
    await waitForWorkspace(ann, workspace.id, (one) => requireAgent(one).status === "connected");
    const gone = new AbortController();
    // The agent serves neither.
    const answer = fetch(
      `${server.url}/api/v2/workspaceagents/${requireAgent(workspace).id}${path}`,
      {
        method,
        headers: { ...server.admin.headers, "Content-Type": "application/json" },
        body: body === undefined ? null : JSON.stringify(body),
        signal: gone.signal,
      },
    ).then(
      () => "answered",
      () => "gone",
    );
    const titles = async () =>
      (await inbox(ann, { targets: workspace.id })).notifications.map(({ title }) => title);
    await expect.poll(titles).toEqual([`admin connected to ${name}`]);
    gone.abort();
    await answer;
  },
);

describe("an inbox", () => {
  it("is read, by its owner alone", async () => {
    const workspace = await make("read");
    await connect(server.admin, workspace);
    const query = { targets: workspace.id };
    await expect.poll(async () => (await inbox(ann, query)).notifications.length).toBe(1);
    const { notifications } = await inbox(ann, query);
    const input = { params: { notification: notifications[0]?.id ?? "" } };
    const read = { ...input, body: { is_read: true } };
    for (const other of [bob, server.admin]) {
      await expect(other.call(updateInboxReadStatus, read)).rejects.toMatchObject({ status: 404 });
    }
    const { notification } = await ann.call(updateInboxReadStatus, read);
    expect(notification.read_at).not.toBeNull();
    expect((await inbox(ann, { ...query, read_status: "unread" })).notifications).toEqual([]);
    expect((await inbox(ann, { ...query, read_status: "read" })).notifications).toHaveLength(1);
    await ann.call(updateInboxReadStatus, { ...input, body: { is_read: false } });
    expect((await inbox(ann, { ...query, read_status: "unread" })).notifications).toHaveLength(1);
    await ann.call(markAllInboxNotificationsRead);
    expect(await inbox(ann)).toMatchObject({ unread_count: 0 });
  });

  it("has pages, from a notification of its own on", async () => {
    const { notifications } = await inbox(ann);
    const [first, ...rest] = notifications;
    const next = await inbox(ann, { starting_before: first?.id ?? "" });
    expect(next.notifications).toEqual(rest);
    await expect(
      bob.call(listInboxNotifications, {
        query: { starting_before: first?.id ?? "" },
      }),
    ).rejects.toMatchObject({ status: 400 });
  });

  it("that is full loses its own oldest notifications, and no other user's", async () => {
    const { db } = server;
    const [cat, dan] = [await addPerson(server, "cat"), await addPerson(server, "dan")];
    const note = { templateId: connectionTemplateId, content: "" };
    for (const { user } of [dan, cat]) {
      for (const title of ["one", "two"]) {
        await insertOwnMessage(db, { ...note, userId: user.id, title });
      }
    }
    await pruneInbox(db, cat.user.id, 1);
    const titlesOf = async ({ client }: Person) => {
      const { notifications } = await client.call(listInboxNotifications, {});
      return notifications.map(({ title }) => title);
    };
    expect(await titlesOf(cat)).toEqual(["two"]);
    expect(await titlesOf(dan)).toEqual(["two", "one"]);
  });

  it.each(["targets=x", "templates=1,2", "read_status=some", "starting_before=x"])(
    "is not asked for with %s",
    async (query) => {
      expect(await server.request("GET", `/notifications/inbox?${query}`)).toMatchObject({
        status: 400,
      });
    },
  );
});
