import { randomUUID } from "node:crypto";

import { silentLogger, systemClock } from "@slipway/runtime";
import { createFakeClock, openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, inject, it, vi } from "vitest";

import { AuditNotes } from "../src/features/audit/note-service.ts";
import { type AuditEntry, insertAuditEntry } from "../src/features/audit/service.ts";
import { keepFile } from "../src/features/files/service.ts";
import {
  ConnectionNotices,
  listInbox,
  markAllRead,
  setReadStatus,
  watchInbox,
} from "../src/features/notifications/inbox-service.ts";
import { changePrebuildsSettings } from "../src/features/prebuilds/settings-service.ts";
import { RunAudit } from "../src/gateway/runs/run-audit.ts";
import { fullGrant, type UserCaller } from "../src/platform/http/caller.ts";
import { LocalListeners } from "../src/platform/pubsub/local-listeners.ts";
import type { Listener } from "../src/platform/pubsub/pubsub.ts";
import { seedAgent, seedBuild, seedWorkspace, type SeededWorkspace } from "./support/rows.ts";

/* The audit trail, the inbox, files and settings: the second event of the same kind. */

let database: TestDatabase;
let place: SeededWorkspace;
/** The owner of the workspace. */
let ann: UserCaller;
let bobId: string;

beforeEach(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
  place = await seedWorkspace(database.db);
  const id = place.userId;
  ann = {
    id,
    username: "ann",
    roles: ["owner"],
    keyId: "",
    grant: fullGrant,
    origin: undefined,
  };
  bobId = randomUUID();
  await sql`insert into users (id, username, email) values (${bobId}, 'bob', 'bob@example.com')`.execute(
    database.db,
  );
});

afterEach(() => database[Symbol.asyncDispose]());

function countAudit(resourceType: string): Promise<number> {
  return database.db
    .selectFrom("audit_log")
    .where(sql`resource_type`, "=", resourceType)
    .select("id")
    .execute()
    .then((rows) => rows.length);
}

describe("notes of the audit trail", () => {
  const entry = (target: string): AuditEntry => ({
    by: { id: ann.id, origin: undefined },
    organizationId: undefined,
    action: "write",
    resourceType: "user",
    resourceId: ann.id,
    target,
    diff: {},
    fields: {},
  });
  const occasion = (key: string) => ({ key, onceInMs: 60_000 });

  it("are written once in a while for each occasion", async () => {
    const clock = createFakeClock();
    await using notes = new AuditNotes({ db: database.db, clock, logger: silentLogger });
    await notes.record(entry("ann"), occasion("a"));
    await notes.record(entry("ann"), occasion("a"));
    await clock.advance(59_999);
    await notes.record(entry("ann"), occasion("a"));
    expect(await countAudit("user")).toBe(1);
    await notes.record(entry("ann"), occasion("b"));
    await notes.record(entry("ann"));
    await notes.record(entry("ann"));
    expect(await countAudit("user")).toBe(4);
    await clock.advance(1);
    await notes.record(entry("ann"), occasion("a"));
    expect(await countAudit("user")).toBe(5);
  });

  it("are tried again at the next occasion when they could not be written", async () => {
    const clock = createFakeClock();
    await using notes = new AuditNotes({ db: database.db, clock, logger: silentLogger });
    const broken = { ...entry("ann"), resourceId: "no UUID" };
    await expect(notes.record(broken, occasion("a"))).rejects.toThrow("uuid");
    await notes.record(entry("ann"), occasion("a"));
    expect(await countAudit("user")).toBe(1);
  });

  it("are lost to no other conflict than that of a run", async () => {
    const { db } = database;
    await sql`create unique index on audit_log (resource_target)`.execute(db);
    await insertAuditEntry(db, entry("ann"));
    await expect(insertAuditEntry(db, entry("ann"))).rejects.toThrow("duplicate key");
  });

  it("are all written when the server closes", async () => {
    const notes = new AuditNotes({
      db: database.db,
      clock: createFakeClock(),
      logger: silentLogger,
    });
    for (let number = 0; number < 5; number += 1) {
      notes.recordLater(entry("ann"), occasion(`${number}`));
    }
    await notes[Symbol.asyncDispose]();
    expect(await countAudit("user")).toBe(5);
  });
});

it("has a run once in the audit trail, whichever replicas are asked to start it", async () => {
  const { organizationId } = place;
  const at = { organizationId, agentId: randomUUID(), agentName: "main", workspaceName: "dev" };
  const run = { runId: randomUUID(), chosenFor: randomUUID(), command: "ls", user: "ann" };
  const replica = () => new RunAudit({ db: database.db, clock: systemClock, logger: silentLogger });
  {
    await using one = replica();
    for (const by of [ann, ann]) await one.started(by, at, run);
  }
  expect(await countAudit("workspace_agent")).toBe(1);
  {
    await using other = replica();
    await other.started(ann, at, run);
    // Another agent and another instance start another run; another user is another person's doing.
    await other.started(ann, { ...at, agentId: randomUUID() }, run);
    await other.started(ann, at, { ...run, chosenFor: randomUUID() });
    await other.started({ ...ann, id: bobId }, at, run);
  }
  expect(await countAudit("workspace_agent")).toBe(4);
  {
    await using one = replica();
    // An agent that is not trusted chose the id.
    for (const by of [ann, ann]) await one.started(by, at, { ...run, chosenFor: undefined });
  }
  expect(await countAudit("workspace_agent")).toBe(6);
});

describe("the inbox", () => {
  let agentId: string;
  let hints: LocalListeners;
  let notices: ConnectionNotices;

  beforeEach(async () => {
    const build = { number: 1, transition: "start", job: "succeeded" } as const;
    agentId = await seedAgent(database.db, await seedBuild(database.db, place, build));
    hints = new LocalListeners();
    notices = new ConnectionNotices({ db: database.db, pubsub: pubsub(), logger: silentLogger });
  });

  function pubsub() {
    return {
      subscribe: (topic: string, listener: Listener) => hints.add(topic, listener),
      publish: (topic: string) => hints.hint(topic),
    };
  }

  const all = () => true;
  const needs = () => ({ db: database.db, pubsub: pubsub() });
  const read = () => listInbox(needs(), ann.id, all, undefined);
  const setAge = (age: string) =>
    sql`update inbox_notifications set created_at = now() - ${age}::interval`.execute(database.db);

  /** Notifies of Bob's connection; resolves when done. */
  async function tell(actorId = bobId): Promise<void> {
    const before = await told();
    notices.tell({ actorId, ownerId: ann.id, agentId });
    await vi.waitFor(async () => expect(await told()).not.toBe(before), 10_000);
  }

  const told = async (): Promise<string> =>
    JSON.stringify((await read()).notifications.map(({ id, created_at }) => [id, created_at]));

  it("has a repeated message anew after an hour, unread, as news for watchers", async () => {
    await tell();
    const [first] = (await read()).notifications;
    await setReadStatus(needs(), ann.id, first?.id ?? "", true);
    await setAge("61 minutes");
    const clock = createFakeClock();
    const { signal } = new AbortController();
    const news = watchInbox({ ...needs(), clock }, ann.id, all, signal);
    const next = news.next();
    // It reads once before anything is new.
    await vi.waitFor(() => expect(clock.sleepers).toBe(1));
    await tell();
    const second = (await next).value;
    expect(second).toMatchObject({ unread_count: 1, notification: { read_at: null } });
    expect(second?.notification.id).not.toBe(first?.id);
    expect((await read()).notifications).toHaveLength(1);
    await news.return();
  });

  it("says nothing of the same user again within the hour", async () => {
    await tell();
    await setAge("59 minutes");
    const before = await told();
    const [bobs] = (await read()).notifications;
    notices.tell({ actorId: bobId, ownerId: ann.id, agentId });
    const cyd = randomUUID();
    await sql`insert into users (id, username, email) values (${cyd}, 'cyd', 'cyd@example.com')`.execute(
      database.db,
    );
    notices.tell({ actorId: cyd, ownerId: ann.id, agentId });
    await vi.waitFor(async () => expect(await told()).not.toBe(before), 10_000);
    const { notifications } = await read();
    expect(notifications).toMatchObject([{ title: "cyd connected to dev" }, { id: bobs?.id }]);
  });

  it("keeps the newest two hundred", async () => {
    await sql`insert into inbox_notifications
        (user_id, occasion, template_id, targets, title, content, created_at)
      select ${ann.id}, 'o' || n, ${randomUUID()}::uuid, '{}', n::text, '', now() - n * interval '1 day'
        from generate_series(1, 203) n`.execute(database.db);
    await tell();
    const titles = await vi.waitFor(async () => {
      const rows = await database.db
        .selectFrom("inbox_notifications")
        .orderBy("created_at", "desc")
        .select("title")
        .execute();
      // The new message is seen before the oldest ones are deleted.
      expect(rows).toHaveLength(200);
      return rows;
    }, 10_000);
    expect(titles.at(0)?.title).toBe("bob connected to dev");
    expect(titles.at(-1)?.title).toBe("199");
  });

  it("keeps when a message was read first", async () => {
    await tell();
    const id = (await read()).notifications[0]?.id ?? "";
    const { notification: first } = await setReadStatus(needs(), ann.id, id, true);
    const at = "2020-01-01T00:00:00Z";
    expect(first.read_at).not.toBeNull();
    await database.db.updateTable("inbox_notifications").set({ read_at: at }).execute();
    expect(await setReadStatus(needs(), ann.id, id, true)).toMatchObject({
      unread_count: 0,
      notification: { read_at: at },
    });
    await markAllRead(needs(), ann.id);
    expect((await read()).notifications).toMatchObject([{ read_at: at }]);
    expect(await setReadStatus(needs(), ann.id, id, false)).toMatchObject({ unread_count: 1 });
    await expect(setReadStatus(needs(), bobId, id, true)).rejects.toMatchObject({
      code: "not-found",
    });
  });

  it("tells nobody of a prebuild", async () => {
    await sql`update workspaces set owner_id = (select id from users where is_system)`.execute(
      database.db,
    );
    notices.tell({ actorId: bobId, ownerId: ann.id, agentId });
    // The one after it is sent.
    await vi.waitFor(async () => {
      await sql`update workspaces set owner_id = ${ann.id}`.execute(database.db);
      notices.tell({ actorId: bobId, ownerId: "", agentId });
      expect((await read()).notifications).toHaveLength(1);
    }, 10_000);
    const rows = await database.db.selectFrom("inbox_notifications").select("user_id").execute();
    expect(rows).toEqual([{ user_id: ann.id }]);
  });
});

describe("a file that is uploaded twice", () => {
  const upload = (text: string, max = 100) =>
    keepFile(
      { db: database.db, limits: { maxUnusedFileBytesPerUser: max } },
      ann,
      "application/x-tar",
      Buffer.from(text),
    );

  it("is one file, as fresh as a new one, with one entry in the audit trail", async () => {
    const first = await upload("the same");
    expect(first.isNew).toBe(true);
    await sql`update files set created_at = now() - interval '1 day'`.execute(database.db);
    expect(await upload("the same")).toEqual({ id: first.id, isNew: false });
    const { rows } = await sql`select from files
      where id = ${first.id} and created_at > now() - interval '1 hour'`.execute(database.db);
    expect(rows).toHaveLength(1);
    expect(await countAudit("file")).toBe(1);
    expect((await upload("another")).isNew).toBe(true);
    expect(await countAudit("file")).toBe(2);
  });

  it("takes its room once", async () => {
    await upload("12345678", 10);
    expect((await upload("12345678", 10)).isNew).toBe(false);
    await expect(upload("123", 10)).rejects.toMatchObject({ code: "limit-reached" });
  });
});

it("audits a pause of pools once, and each change after it", async () => {
  const pause = (reconciliation_paused: boolean) =>
    changePrebuildsSettings(database.db, ann, { reconciliation_paused });
  expect([await pause(true), await pause(true), await pause(false), await pause(false)]).toEqual([
    true,
    false,
    true,
    false,
  ]);
  expect(await countAudit("prebuilds_settings")).toBe(2);
});
