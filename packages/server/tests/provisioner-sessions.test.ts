import { randomUUID } from "node:crypto";

import { getHealthReport } from "@slipway/api/deployment/routes";
import {
  deleteProvisionerKey,
  listProvisionerDaemons,
  listProvisionerKeys,
} from "@slipway/api/organizations/provisioner-routes";
import { getTemplateVersion } from "@slipway/api/templates/version-routes";
import { pushVersion } from "@slipway/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { touchSession } from "../src/features/provisioners/worker-queries.ts";
import { acquireTaggedJob } from "../src/platform/jobs/acquire-query.ts";
import { openReplica, openServer, type OpenServer } from "./support/open-server.ts";
import { makeKey } from "./support/provisioner-process.ts";
import {
  addProvisionerElsewhere,
  begin,
  connect,
  json,
  patience,
  push,
  reading,
} from "./support/raw-provisioner-jobs.ts";
import { RawProvisioner } from "./support/raw-provisioner.ts";

/* Provisioners for which the test writes the messages: strangers, and hostile ones. */

const opened = new AsyncDisposableStack();
let server: OpenServer;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl"), { SLIPWAY_TERRAFORM: "off" }));
});
afterAll(() => opened.disposeAsync());

describe("a session", () => {
  const query = { protocol: "1", build: "v0", name: "raw", id: randomUUID() };

  it.each([
    ["without a key", undefined, query, 401, "Provisioner key required"],
    ["with a guessed key", "A".repeat(43), query, 401, "Provisioner key invalid"],
    [
      "of a program of the original",
      "real",
      { version: "1.18", name: "x" },
      400,
      "provisioners of Slipway only",
    ],
    ["of a newer protocol", "real", { ...query, protocol: "2" }, 400, "version 2 of the protocol"],
    ["without an id", "real", { ...query, id: "x" }, 400, "must be a UUID"],
    [
      "with a tag that its key lacks",
      "real",
      { ...query, tags: '{"only":"others"}' },
      400,
      "only=others",
    ],
    [
      "with tags that are none",
      "real",
      { ...query, tags: '{"only":1}' },
      400,
      "JSON object of texts",
    ],
    ["with too many jobs", "real", { ...query, jobs: "17" }, 400, "from 1 to 16"],
    ["with a name for terminals", "real", { ...query, name: "a\u001b[2J" }, 400, "letters, digits"],
  ])("is refused %s", async (name, given, asked, status, text) => {
    const key =
      given === "real" ? await makeKey(server.admin, `k${name.length}`, { only: "k" }) : given;
    const refused = await RawProvisioner.open({ url: server.url, key, query: asked });
    expect(refused).toMatchObject({ status });
    expect(JSON.stringify(refused)).toContain(text);
  });

  it("is refused with a key of another organization, as if there were none", async () => {
    const key = await makeKey(server.admin, "elsewhere", {});
    await sql`insert into organizations (name, display_name) values ('other', 'Other')`.execute(
      server.db,
    );
    const refused = await RawProvisioner.open({ url: server.url, key, organization: "other" });
    expect(refused).toMatchObject({ status: 401 });
    expect(JSON.stringify(refused)).toContain("Provisioner key invalid");
    const absent = await RawProvisioner.open({ url: server.url, key, organization: "absent" });
    expect(absent).toMatchObject({ status: 401 });
  });

  it("takes no id of a server, nor of a provisioner with another key", async () => {
    const params = { organization: "default" };
    const workers = () => server.admin.call(listProvisionerDaemons, { params, query: {} });
    await expect.poll(async () => (await workers()).length, patience).toBeGreaterThan(0);
    const own = (await workers()).find(({ key_name: name }) => name === "built-in");
    const { provisioner, id } = await connect(server, "first");
    const key = await makeKey(server.admin, "second", { only: "second" });
    for (const taken of [own?.id ?? "", id]) {
      expect(await RawProvisioner.open({ url: server.url, key, id: taken })).toMatchObject({
        status: 409,
      });
    }
    await provisioner[Symbol.asyncDispose]();
  });

  it("ends when another one with the same id begins", async () => {
    const { provisioner, key, id } = await connect(server, "twice");
    await using second = await RawProvisioner.connect({ url: server.url, key, id });
    expect(await provisioner.closed()).toMatchObject({ code: 1012 });
    await push(server, "twice", second);
    await using third = await RawProvisioner.connect({ url: server.url, key, id });
    await expect.poll(() => second.isOpen).toBe(false);
    expect(third.isOpen).toBe(true);
  });

  it("is not the newest once another one with the same id has begun at another server", async () => {
    const { key, id } = await connect(server, "moved");
    const sessionOf = async () => {
      const worker = server.db.selectFrom("workers").where("id", "=", id).select("session_id");
      return { workerId: id, sessionId: (await worker.executeTakeFirst())?.session_id ?? "" };
    };
    const first = await sessionOf();
    expect(await touchSession(server.db, first)).toBe(true);
    await using replica = await openReplica(server, { SLIPWAY_TERRAFORM: "off" });
    await using second = await RawProvisioner.connect({ url: replica.url, key, id });
    expect(second.isOpen).toBe(true);
    expect(await touchSession(server.db, first)).toBe(false);
    expect(await touchSession(server.db, await sessionOf())).toBe(true);
  });

  it("takes no jobs once another one with the same id has begun, even before it has ended", async () => {
    const { provisioner, id } = await connect(server, "stale");
    const { rows } = await sql<{ session_id: string; organization_id: string }>`
      select session_id, organization_id from workers w join provisioner_keys k on k.id = w.key_id
        where w.id = ${id}`.execute(server.db);
    const [row] = rows;
    await provisioner[Symbol.asyncDispose]();
    await expect
      .poll(() =>
        server.db.selectFrom("workers").select("session_id").where("id", "=", id).execute(),
      )
      .toEqual([{ session_id: null }]);
    const pushing = pushVersion(server.admin, "# x", { file: "main.tf", tags: { only: "stale" } });
    const session = {
      workerId: id,
      sessionId: row?.session_id ?? "",
      organizationId: row?.organization_id ?? "",
      tags: { only: "stale" },
    };
    const queued = () =>
      sql`select id from jobs where tags ->> 'only' = 'stale' and completed_at is null`.execute(
        server.db,
      );
    await expect.poll(async () => (await queued()).rows.length).toBe(1);
    expect(await acquireTaggedJob(server.db, session, [])).toBeUndefined();
    await sql`update jobs set completed_at = now(), error = 'over' where tags ->> 'only' = 'stale'`.execute(
      server.db,
    );
    await expect(pushing).rejects.toThrow("over");
  });

  it("ends at once when its key is deleted, and leaves no worker", async () => {
    const { provisioner, key } = await connect(server, "gone");
    const params = { organization: "default", key: "GONE" };
    await server.admin.call(deleteProvisionerKey, { params });
    expect(await provisioner.closed()).toMatchObject({
      code: 1008,
      reason: "the provisioner key was deleted",
    });
    expect(await RawProvisioner.open({ url: server.url, key })).toMatchObject({ status: 401 });
    await expect(server.admin.call(deleteProvisionerKey, { params })).rejects.toMatchObject({
      status: 404,
    });
    const keys = await server.admin.call(listProvisionerKeys, {
      params: { organization: "default" },
    });
    expect(keys.map(({ name }) => name)).not.toContain("gone");
  });

  it("ends when its key is deleted by id, which a new key of that name does not have", async () => {
    const organization = { organization: "default" };
    const idOf = async (name: string): Promise<string> => {
      const keys = await server.admin.call(listProvisionerKeys, { params: organization });
      return keys.find((one) => one.name === name)?.id ?? "";
    };
    const { provisioner } = await connect(server, "by-id");
    const params = { ...organization, key: await idOf("by-id") };
    await server.admin.call(deleteProvisionerKey, { params });
    expect(await provisioner.closed()).toMatchObject({ code: 1008 });
    await makeKey(server.admin, "by-id", {});
    await expect(server.admin.call(deleteProvisionerKey, { params })).rejects.toMatchObject({
      status: 404,
    });
    expect(await idOf("by-id")).not.toBe("");
  });

  it.each(["no JSON", "[]", '{"type":"unknown"}', '{"type":"end","call":"x"}', '{"type":"log"}'])(
    "ends after the message %s",
    async (text) => {
      const { provisioner } = await connect(server, `m${text.length}`);
      provisioner.sendText(text);
      expect(await provisioner.closed()).toMatchObject({ code: 1008 });
    },
  );
});

describe("a key", () => {
  it("is stored by its hash alone, and its creation is recorded without it", async () => {
    const key = await makeKey(server.admin, "hashed", {});
    const { rows } = await sql<{ text: string }>`
      select row_to_json(k)::text || coalesce((select string_agg(row_to_json(a)::text, '') from audit_log a
        where a.resource_id = k.id), '') as text from provisioner_keys k where name = 'hashed'`.execute(
      server.db,
    );
    expect(rows[0]?.text).toContain('"provisioner_key"');
    expect(rows[0]?.text).not.toContain(key);
  });

  it.each([
    ["hashed", 409],
    ["built-in", 400],
    ["", 400],
    ["a b", 400],
  ])("cannot have the name %j", async (name, status) => {
    await expect(makeKey(server.admin, name, {})).rejects.toMatchObject({ status });
  });
});

describe("a job", () => {
  it("goes to those who have all of its tags, and to no other", async () => {
    const { provisioner: other } = await connect(server, "tag-other");
    const { provisioner } = await connect(server, "tag");
    await push(server, "tag", provisioner);
    expect(other.messages).toEqual([]);
    await other[Symbol.asyncDispose]();
    await provisioner[Symbol.asyncDispose]();
  });

  it("without tags stays with the server, which says why it cannot run it", async () => {
    await using _ = (await connect(server, "none")).provisioner;
    await expect(pushVersion(server.admin, "# x", { file: "main.tf" })).rejects.toThrow(
      /turned off/,
    );
  });

  it("with tags is only for the driver that provisioners have", async () => {
    await using _ = (await connect(server, "docker")).provisioner;
    const yaml = "driver: external\nagents: { main: { os: linux } }";
    await expect(pushVersion(server.admin, yaml, { tags: { only: "docker" } })).rejects.toThrow(
      /runs on servers only/,
    );
  });

  it("waits for a provisioner, and says that there is none", async () => {
    const pushing = pushVersion(server.admin, "# x", { file: "main.tf", tags: { only: "later" } });
    const matched = async (): Promise<unknown> => {
      const { rows } = await sql<{ id: string }>`
        select v.id from template_versions v join jobs j on j.id = v.job_id where j.tags ->> 'only' = 'later'`.execute(
        server.db,
      );
      const version = rows[0]?.id;
      if (version === undefined) return undefined;
      const found = await server.admin.call(getTemplateVersion, { params: { version } });
      return found.matched_provisioners;
    };
    await expect.poll(matched, patience).toMatchObject({ count: 0, available: 0 });
    const { provisioner } = await connect(server, "later");
    const { call } = await provisioner.nextCall();
    await expect.poll(matched, patience).toMatchObject({ count: 1, available: 1 });
    provisioner.sendPart(call, "result", json(reading));
    provisioner.send({ type: "end", call });
    await pushing;
    await provisioner[Symbol.asyncDispose]();
  });

  it("that waits for a provisioner for a minute, and an old provisioner, are in the health report", async () => {
    const health = async () => (await server.admin.call(getHealthReport, {})).provisioner_daemons;
    const tags = { only: "health" };
    await addProvisionerElsewhere(server, tags);
    const pushing = pushVersion(server.admin, "# x", { file: "main.tf", tags });
    pushing.catch(() => undefined);
    const queued = () =>
      sql`update jobs set created_at = now() - interval '61 seconds' where tags ->> 'only' = 'health'`.execute(
        server.db,
      );
    const waits = {
      code: "EPD01",
      message: expect.stringContaining("1 job with the tags only=health"),
    };
    expect((await health()).warnings).not.toContainEqual(waits);
    await expect.poll(async () => (await queued()).numAffectedRows, patience).toBe(1n);
    // The report is shared for some seconds.
    await expect.poll(async () => (await health()).warnings, patience).toContainEqual(waits);
    expect((await health()).severity).toBe("warning");
    await server.db.deleteFrom("workers").where("name", "=", "elsewhere").execute();
    const { provisioner } = await connect(server, "health");
    const { call } = await provisioner.nextCall();
    const message = expect.stringContaining("the provisioner raw runs v0, and the server");
    const old = { code: "EPD02", message };
    await expect.poll(async () => (await health()).warnings, patience).toContainEqual(old);
    expect(await health()).toMatchObject({ online: 1, warnings: [old] });
    provisioner.sendPart(call, "result", json(reading));
    provisioner.send({ type: "end", call });
    await pushing;
    await provisioner[Symbol.asyncDispose]();
  });

  it.each([
    ["a user's", { scope: "user", owner: "x" }],
    ["too many", Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`t${at}`, ""]))],
  ])("is refused with tags that are %s", async (_case, tags) => {
    await expect(pushVersion(server.admin, "# x", { tags })).rejects.toMatchObject({ status: 400 });
  });

  it("gives a provisioner what its build needs, and nothing of the server", async () => {
    const { provisioner } = await connect(server, "needs");
    const { call, workspace } = await begin(server, "needs", provisioner);
    const input: unknown = JSON.parse(provisioner.part(call, "input").toString());
    expect(input).toMatchObject({ workspace: { id: workspace.id }, transition: "start" });
    const sent = JSON.stringify(provisioner.messages);
    expect(sent).not.toContain("the-key-of-all-servers");
    expect(sent).not.toContain(server.postgresUrl);
    expect(provisioner.part(call, "input").includes("PRIVATE KEY")).toBe(false);
    await provisioner[Symbol.asyncDispose]();
  });

  it("gives the owner's private key only for a template that names it", async () => {
    const { provisioner } = await connect(server, "key");
    const { call } = await begin(server, "key", provisioner, "# ssh_private_key");
    expect(provisioner.part(call, "input").includes("PRIVATE KEY")).toBe(true);
    await provisioner[Symbol.asyncDispose]();
  });
});
