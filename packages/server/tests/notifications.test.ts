import { randomUUID } from "node:crypto";

import {
  getNotificationsSettings,
  listInboxNotifications,
  markAllInboxNotificationsRead,
  sendCustomNotification,
  sendTestNotification,
  updateInboxReadStatus,
  updateNotificationsSettings,
} from "@slipway/api/notifications/routes";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";

import { sendCustomMessage } from "../src/features/notifications/inbox-service.ts";
import { type OpenServer, openReplica, openServer } from "./support/open-server.ts";
import { addPerson, type Client, type Person } from "./support/people.ts";
import { watchInbox } from "./support/watch-inbox.ts";

/* Notifications that users send to themselves, and notifications that an owner pauses. */

let server: OpenServer;
let ann: Person;

beforeAll(async () => {
  server = await openServer(inject("postgresUrl"));
  ann = await addPerson(server, "ann");
});
afterAll(() => server[Symbol.asyncDispose]());

beforeEach(async () => {
  await setPaused(false);
  await server.db.deleteFrom("inbox_notifications").execute();
});

function setPaused(notifier_paused: boolean) {
  return server.request("PUT", "/notifications/settings", { notifier_paused });
}

const inbox = (client: Client) => client.call(listInboxNotifications, {});

const send = (client: Client, title: string, message = "All of them.") =>
  client.call(sendCustomNotification, { body: { content: { title, message } } });

describe("a notification to oneself", () => {
  it("arrives with its title and message, at once where it is watched, and at nobody else's", async () => {
    const messages = await watchInbox(server.url, ann.client);
    await send(ann.client, "Tests passed");
    await expect.poll(() => messages.length).toBe(1);
    const notification = {
      user_id: ann.user.id,
      template_id: "39b1e189-c857-4b0c-877a-511144c18516",
      targets: [],
      title: "Tests passed",
      content: "All of them.",
      read_at: null,
    };
    expect(JSON.parse(messages[0] ?? "")).toMatchObject({ notification, unread_count: 1 });
    expect(await inbox(ann.client)).toMatchObject({ notifications: [notification] });
    expect(await inbox(server.admin)).toMatchObject({ notifications: [] });
  });

  it("is one of a test for owners", async () => {
    await server.admin.call(sendTestNotification, {});
    expect(await inbox(server.admin)).toMatchObject({
      notifications: [
        {
          template_id: "c425f63e-716a-4bf4-ae24-78348f706c3f",
          title: "A test notification",
          content: "This is a test notification.",
        },
      ],
    });
    expect(
      await server.request("POST", "/notifications/test", undefined, ann.client),
    ).toMatchObject({
      status: 403,
      body: {
        detail: "Only owners can pause, resume and test the notifications of the deployment.",
      },
    });
    expect(await inbox(ann.client)).toMatchObject({ notifications: [] });
  });

  it.each([
    { title: "x".repeat(121), message: "m" },
    { title: "t", message: "x".repeat(2_001) },
    { title: " ", message: "m" },
    { title: "t", message: "\n" },
    { title: "t" },
    undefined,
  ])("is not sent without texts of some length: %#", async (content) => {
    expect(await server.request("POST", "/notifications/custom", { content })).toMatchObject({
      status: 400,
    });
    expect(await inbox(server.admin)).toMatchObject({ notifications: [] });
  });

  it("is sent with the longest texts, sixty times a minute at most", async () => {
    const content = { title: "x".repeat(120), message: "y".repeat(2_000) };
    const response = await fetch(`${server.url}/api/v2/notifications/custom`, {
      method: "POST",
      headers: { ...ann.client.headers, "Content-Type": "application/json" },
      body: JSON.stringify({ content }),
    });
    expect(response.status).toBe(204);
    expect(response.headers.get("x-ratelimit-limit")).toBe("60");
    expect((await inbox(ann.client)).notifications[0]?.content).toHaveLength(2_000);
  });

  it("pushes none of others out, of which the newest two hundred are kept", async () => {
    const { id } = ann.user;
    await sql`insert into inbox_notifications
        (user_id, occasion, template_id, targets, title, content, created_at)
      select ${id}, 'connection:' || n, ${randomUUID()}::uuid, '{}', 'another', '', now() - interval '1 day'
        from generate_series(1, 150) n`.execute(server.db);
    const needs = { db: server.db, pubsub: { subscribe: neverHeard, publish: () => undefined } };
    const texts = Array.from({ length: 53 }, (_, number) => `${number}`);
    for (const title of texts) await sendCustomMessage(needs, id, { title, message: "m" });
    const rows = await server.db
      .selectFrom("inbox_notifications")
      .where("user_id", "=", id)
      .orderBy("created_at")
      .select("title")
      .execute();
    const kept = rows.map(({ title }) => title);
    expect(kept.filter((title) => title === "another")).toHaveLength(150);
    expect(kept.slice(150)).toEqual(texts.slice(3));
  });
});

const neverHeard = (): Disposable => ({ [Symbol.dispose]: () => undefined });

describe("paused notifications", () => {
  it("wait, and arrive where they are watched once they are resumed, on every replica", async () => {
    await using replica = await openReplica(server);
    await send(ann.client, "before");
    await setPaused(true);
    const messages = await watchInbox(replica.url, ann.client);
    await send(ann.client, "meanwhile");
    const before = await inbox(ann.client);
    expect(before).toMatchObject({ notifications: [{ title: "before" }], unread_count: 1 });
    const { id } = await server.db
      .selectFrom("inbox_notifications")
      .where("title", "=", "meanwhile")
      .select("id")
      .executeTakeFirstOrThrow();
    const read = { params: { notification: id }, body: { is_read: true } };
    await expect(ann.client.call(updateInboxReadStatus, read)).rejects.toMatchObject({
      status: 404,
    });
    await ann.client.call(markAllInboxNotificationsRead, {});
    expect(messages).toEqual([]);
    await setPaused(false);
    await expect.poll(() => messages.length).toBe(1);
    expect(JSON.parse(messages[0] ?? "")).toMatchObject({
      notification: { title: "meanwhile", read_at: null },
      unread_count: 1,
    });
    const { notifications } = await inbox(ann.client);
    expect(notifications.map(({ title }) => title)).toEqual(["meanwhile", "before"]);
  });

  it("are a setting of owners, that all may read and the audit trail keeps", async () => {
    const member = ann.client;
    const read = () => member.call(getNotificationsSettings, {});
    expect(await read()).toEqual({ notifier_paused: false });
    const paused = { notifier_paused: true };
    expect(await setPaused(true)).toMatchObject({ status: 200, body: paused });
    expect(await setPaused(true)).toMatchObject({ status: 304, body: "" });
    expect(await read()).toEqual(paused);
    await expect(
      member.call(updateNotificationsSettings, { body: { notifier_paused: false } }),
    ).rejects.toMatchObject({ status: 403 });
    expect(await read()).toEqual(paused);
    const { body } = await server.request(
      "GET",
      "/audit?q=resource_type:notifications_settings&limit=1",
    );
    expect(body).toMatchObject({
      audit_logs: [
        {
          action: "write",
          user: { username: "admin" },
          diff: { notifier_paused: { old: false, new: true } },
          description: "{user} updated notifications settings {target}",
        },
      ],
    });
    expect(await setPaused(false)).toMatchObject({ status: 200 });
    expect(await setPaused(false)).toMatchObject({ status: 304 });
  });
});
