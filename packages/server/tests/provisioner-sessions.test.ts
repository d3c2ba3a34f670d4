import { randomUUID } from "node:crypto";

import { cancelBuild, getBuildLogs } from "@slipway/api/builds/routes";
import type { ProvisionerJob } from "@slipway/api/jobs/job";
import {
  deleteProvisionerKey,
  listProvisionerDaemons,
  listProvisionerKeys,
} from "@slipway/api/organizations/provisioner-routes";
import { createTemplate } from "@slipway/api/templates/routes";
import { getTemplateVersion } from "@slipway/api/templates/version-routes";
import { createWorkspace, getWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { pushVersion } from "@slipway/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { acquireTaggedJob } from "../src/platform/jobs/acquire-query.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { makeKey } from "./support/provisioner-process.ts";
import { RawProvisioner } from "./support/raw-provisioner.ts";

/* Provisioners for which the test writes the messages: strangers, and hostile ones. */

const opened = new AsyncDisposableStack();
let server: OpenServer;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl"), { SLIPWAY_TERRAFORM: "off" }));
});
afterAll(() => opened.disposeAsync());

const agent = {
  name: "main",
  os: "linux",
  arch: "amd64",
  directory: "",
  connectionTimeoutSeconds: 120,
  troubleshootingUrl: "",
  motdFile: "",
  env: {},
  scripts: [],
  metadata: [],
  apps: [],
  displayApps: [],
};
const definition = {
  driver: "terraform",
  displayName: "",
  description: "",
  icon: "",
  parameters: [],
  presets: [],
  agents: [agent],
};
const resource = { type: "machine", name: "one", agentNames: ["main"] };
const reading = { definition, resources: [resource] };
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const patience = { timeout: 30_000, interval: 50 };

/** A provisioner alone with its tag, and a key for more of them. */
async function connect(
  tag: string,
): Promise<{ provisioner: RawProvisioner; key: string; id: string }> {
  const key = await makeKey(server.admin, tag, { only: tag, more: "than jobs have" });
  const id = randomUUID();
  return { provisioner: await RawProvisioner.connect({ url: server.url, key, id }), key, id };
}

/** Pushes a template, which the provisioner reads; resolves to its id. */
async function push(
  tag: string,
  provisioner: RawProvisioner,
  text = "# read elsewhere",
): Promise<string> {
  const pushing = pushVersion(server.admin, text, {
    file: "main.tf",
    tags: { only: tag },
  });
  const { call, method } = await provisioner.nextCall();
  expect(method).toBe("read");
  provisioner.sendPart(call, "result", json(reading));
  provisioner.send({ type: "end", call });
  const body = { name: tag, template_version_id: await pushing };
  return (await server.admin.call(createTemplate, { params: { organization: "default" }, body }))
    .id;
}

/** Creates a workspace; resolves to it and to the call of its build. */
async function begin(
  tag: string,
  provisioner: RawProvisioner,
  text?: string,
): Promise<{ readonly workspace: Workspace; readonly call: string; readonly job: string }> {
  const template_id = await push(tag, provisioner, text);
  const body = { name: `w-${tag}`, template_id };
  const workspace = await server.admin.call(createWorkspace, { params: { user: "me" }, body });
  const { call, job = "", method } = await provisioner.nextCall();
  expect(method).toBe("start");
  return { workspace, call, job };
}

async function jobOf({ id }: Workspace): Promise<ProvisionerJob> {
  return (await server.admin.call(getWorkspace, { params: { workspace: id } })).latest_build.job;
}

async function endsWith(workspace: Workspace, status: string): Promise<ProvisionerJob> {
  await expect.poll(async () => (await jobOf(workspace)).status, patience).toBe(status);
  return jobOf(workspace);
}

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
    const { provisioner, id } = await connect("first");
    const key = await makeKey(server.admin, "second", { only: "second" });
    for (const taken of [own?.id ?? "", id]) {
      expect(await RawProvisioner.open({ url: server.url, key, id: taken })).toMatchObject({
        status: 409,
      });
    }
    await provisioner[Symbol.asyncDispose]();
  });

  it("ends when another one with the same id begins", async () => {
    const { provisioner, key, id } = await connect("twice");
    await using second = await RawProvisioner.connect({ url: server.url, key, id });
    expect(await provisioner.closed()).toMatchObject({ code: 1012 });
    await push("twice", second);
  });

  it("takes no jobs once another one with the same id has begun, even before it has ended", async () => {
    const { provisioner, id } = await connect("stale");
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
    const { provisioner, key } = await connect("gone");
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

  it.each(["no JSON", "[]", '{"type":"unknown"}', '{"type":"end","call":"x"}', '{"type":"log"}'])(
    "ends after the message %s",
    async (text) => {
      const { provisioner } = await connect(`m${text.length}`);
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
    const { provisioner: other } = await connect("tag-other");
    const { provisioner } = await connect("tag");
    await push("tag", provisioner);
    expect(other.messages).toEqual([]);
    await other[Symbol.asyncDispose]();
    await provisioner[Symbol.asyncDispose]();
  });

  it("without tags stays with the server, which says why it cannot run it", async () => {
    await using _ = (await connect("none")).provisioner;
    await expect(pushVersion(server.admin, "# x", { file: "main.tf" })).rejects.toThrow(
      /turned off/,
    );
  });

  it("with tags is only for the driver that provisioners have", async () => {
    await using _ = (await connect("docker")).provisioner;
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
    const { provisioner } = await connect("later");
    const { call } = await provisioner.nextCall();
    await expect.poll(matched, patience).toMatchObject({ count: 1, available: 1 });
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
    const { provisioner } = await connect("needs");
    const { call, workspace } = await begin("needs", provisioner);
    const input: unknown = JSON.parse(provisioner.part(call, "input").toString());
    expect(input).toMatchObject({ workspace: { id: workspace.id }, transition: "start" });
    const sent = JSON.stringify(provisioner.messages);
    expect(sent).not.toContain("the-key-of-all-servers");
    expect(sent).not.toContain(server.postgresUrl);
    expect(provisioner.part(call, "input").includes("PRIVATE KEY")).toBe(false);
    await provisioner[Symbol.asyncDispose]();
  });

  it("gives the owner's private key only for a template that names it", async () => {
    const { provisioner } = await connect("key");
    const { call } = await begin("key", provisioner, "# ssh_private_key");
    expect(provisioner.part(call, "input").includes("PRIVATE KEY")).toBe(true);
    await provisioner[Symbol.asyncDispose]();
  });
});

describe("a hostile provisioner", () => {
  it("cannot end a job twice, nor those of others", async () => {
    const { provisioner } = await connect("ends");
    const { provisioner: other } = await connect("ends-other");
    const { workspace, call } = await begin("ends", provisioner);
    other.send({ type: "end", call, error: { code: "run-failed", message: "foreign" } });
    other.send({ type: "end", call: randomUUID() });
    other.send({ type: "alive" });
    await other.next("alive");
    provisioner.sendPart(call, "result", json({ resources: [resource], agents: [] }));
    provisioner.sendPart(call, "state", json({ version: 4 }));
    provisioner.send({ type: "end", call });
    provisioner.send({ type: "end", call, error: { code: "run-failed", message: "second" } });
    expect(await endsWith(workspace, "succeeded")).not.toHaveProperty("error");
    provisioner.sendPart(call, "state", json({ version: 4, serial: 9 }));
    provisioner.send({ type: "request", call, request: 1, what: "keep" });
    expect(await provisioner.next("answer")).toMatchObject({ isLost: true });
    await provisioner[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
  });

  it.each([
    ["no JSON", Buffer.from("{")],
    [
      "an unknown architecture",
      json({ resources: [], agents: [{ definition: { ...agent, arch: "z80" }, token: "" }] }),
    ],
    ["a field too many", json({ resources: [{ ...resource, job_id: randomUUID() }] })],
    ["a NUL", json({ resources: [{ ...resource, name: "a\0b" }] })],
    ["no resources", json({})],
  ])("fails its job by a result with %s", async (name, result) => {
    const tag = `r${name.length}`;
    const { provisioner } = await connect(tag);
    const { workspace, call } = await begin(tag, provisioner);
    provisioner.sendPart(call, "result", result);
    provisioner.send({ type: "end", call });
    expect((await endsWith(workspace, "failed")).error).toContain("malformed result");
    await provisioner[Symbol.asyncDispose]();
  });

  it("fails its job by a state that is too large", async () => {
    const { provisioner } = await connect("large");
    const { workspace, call } = await begin("large", provisioner);
    provisioner.sendPart(call, "state", Buffer.alloc(17 * 1024 * 1024));
    expect((await endsWith(workspace, "failed")).error).toContain("the state has more than");
    expect((await provisioner.next("abort")).call).toBe(call);
    await provisioner[Symbol.asyncDispose]();
  });

  it("fails its job by a log without end, which is cut off", async () => {
    const { provisioner } = await connect("chatty");
    const { workspace, call } = await begin("chatty", provisioner);
    const lines = Array.from({ length: 100 }, () => ["info", "", "x".repeat(4_000)]);
    for (let sent = 0; sent < 25; sent += 1) provisioner.send({ type: "log", call, lines });
    expect((await endsWith(workspace, "failed")).error).toContain("logged more than");
    const params = { build: workspace.latest_build.id };
    expect((await server.admin.call(getBuildLogs, { params, query: {} })).length).toBeLessThan(
      2_200,
    );
    await provisioner[Symbol.asyncDispose]();
  });

  it("is disconnected by a second request before the first is answered", async () => {
    const { provisioner } = await connect("hasty");
    const { call } = await begin("hasty", provisioner);
    const hold = { type: "request", call, what: "hold", lastsMs: 60_000, patienceMs: 20_000 };
    for (let request = 1; request < 50; request += 1) provisioner.send({ ...hold, request });
    expect(await provisioner.closed()).toMatchObject({ code: 1008 });
  });
});

describe("a provisioner that comes back", () => {
  it("gets the call of its job again, and the old session keeps nothing", async () => {
    const { provisioner, key, id } = await connect("back");
    const { workspace, call, job } = await begin("back", provisioner);
    provisioner.cut();
    await using next = await RawProvisioner.connect({ url: server.url, key, id });
    const again = await next.nextCall();
    expect(again).toMatchObject({ job, method: "start" });
    expect(again.call).not.toBe(call);
    next.send({
      type: "request",
      call: again.call,
      request: 1,
      what: "hold",
      lastsMs: 60_000,
      patienceMs: 20_000,
    });
    expect((await next.next("answer")).renewedAgoMs).toBeLessThan(60_000);
    next.sendPart(again.call, "state", json({ version: 4, serial: 1 }));
    next.send({ type: "request", call: again.call, request: 2, what: "keep" });
    expect(await next.next("answer")).not.toHaveProperty("error");
    next.sendPart(again.call, "result", json({ resources: [resource], agents: [] }));
    next.sendPart(again.call, "state", json({ version: 4, serial: 1 }));
    next.send({ type: "end", call: again.call });
    await endsWith(workspace, "succeeded");
  });

  it("is told to settle a job that was canceled meanwhile", async () => {
    const { provisioner, key, id } = await connect("settle");
    const { workspace } = await begin("settle", provisioner);
    provisioner.cut();
    await server.admin.call(cancelBuild, { params: { build: workspace.latest_build.id } });
    await using next = await RawProvisioner.connect({ url: server.url, key, id });
    const { call, method } = await next.nextCall();
    expect(method).toBe("settle");
    next.send({ type: "end", call });
    await endsWith(workspace, "canceled");
  });

  it("is waited for ten minutes if its job was canceled; then the server ends the job", async () => {
    const { provisioner } = await connect("never");
    const { workspace, job } = await begin("never", provisioner);
    await provisioner[Symbol.asyncDispose]();
    await server.admin.call(cancelBuild, { params: { build: workspace.latest_build.id } });
    expect((await jobOf(workspace)).status).toBe("canceling");
    await sql`update jobs set lease_until = now() - interval '11 minutes' where id = ${job}`.execute(
      server.db,
    );
    await endsWith(workspace, "canceled");
  });
});
