import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { listAuditLogs } from "@slipway/api/audit/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";

import { holdOpen, waitForBlocked } from "./support/lock-waits.ts";
import { type OpenServer, openServer } from "./support/open-server.ts";
import { addPerson, type Client } from "./support/people.ts";
import {
  seedBuild,
  type SeededBuild,
  type SeededWorkspace,
  seedWorkspace,
  setJob,
} from "./support/rows.ts";

const opened = new AsyncDisposableStack();
let server: OpenServer;
let place: SeededWorkspace;
let newest: SeededBuild;

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), "slipway-state-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  const program = join(directory, "tofu");
  await writeFile(program, "#!/bin/sh\necho OpenTofu v1.12.6\n", { mode: 0o755 });
  server = opened.use(await openServer(inject("postgresUrl"), { SLIPWAY_TERRAFORM: program }));
  place = await seedWorkspace(server.db);
});
afterAll(() => opened.disposeAsync());

/** The state of each test is that of a new build of the same workspace. */
let number = 0;
beforeEach(async () => {
  await useDriver("terraform");
  await sql`update workspace_builds set driver_state = null, driver_state_encrypted = null`.execute(
    server.db,
  );
  number += 1;
  newest = await seedBuild(server.db, place, { number, transition: "start", job: "succeeded" });
});

async function useDriver(driver: string): Promise<void> {
  const definition = { driver, displayName: "", description: "", icon: "" };
  const lists = { parameters: [], presets: [], agents: [] };
  await sql`update template_versions set definition = ${JSON.stringify({ ...definition, ...lists })}
    where id = ${place.versionId}`.execute(server.db);
}

const stateOf = (fields: object): string =>
  JSON.stringify({ version: 4, lineage: "one", serial: 3, resources: [], ...fields });
const inBase64 = (text: string): string => Buffer.from(text).toString("base64");

function push(text: string, query = "", client: Client = server.admin) {
  const path = `/workspacebuilds/${newest.buildId}/state${query}`;
  return server.request("PUT", path, { state: inBase64(text) }, client);
}

async function pull(client: Client = server.admin, { buildId } = newest) {
  const url = `${server.url}/api/v2/workspacebuilds/${buildId}/state`;
  const answer = await fetch(url, { headers: client.headers });
  return {
    status: answer.status,
    text: await answer.text(),
    type: answer.headers.get("content-type"),
  };
}

describe("the state of a build", () => {
  it("is empty before there is one, and then what was pushed", async () => {
    expect(await pull()).toMatchObject({ status: 200, text: "", type: "application/json" });
    expect(await push(stateOf({}))).toMatchObject({ status: 204 });
    expect(await pull()).toMatchObject({ status: 200, text: stateOf({}) });
  });

  it("is encrypted at rest, and its reads and writes are in the audit trail", async () => {
    await push(stateOf({ secret: "hunter2" }), "?force=true");
    await pull();
    const { rows } = await sql<{ readonly plain: Buffer | null; readonly sealed: Buffer }>`
      select driver_state as plain, driver_state_encrypted as sealed from workspace_builds
        where id = ${newest.buildId}`.execute(server.db);
    expect(rows[0]?.plain).toBeNull();
    expect(rows[0]?.sealed.includes("hunter2")).toBe(false);
    const query = { q: `resource_id:${newest.buildId}` };
    const { audit_logs: logs } = await server.admin.call(listAuditLogs, { query });
    expect(logs.map(({ action, diff }) => [action, Object.keys(diff)])).toEqual([
      ["open", []],
      ["write", ["forced", "state_bytes"]],
    ]);
    expect(JSON.stringify(logs)).not.toContain("hunter2");
  });

  it.each([
    ["older", { serial: 2 }, /serial 2, wanted 3 or more/],
    ["of something else", { lineage: "two" }, /lineage two/],
  ])("is not replaced by one that is %s, unless it is forced", async (_case, fields, message) => {
    await push(stateOf({}));
    const refused = await push(stateOf(fields));
    expect(refused.status).toBe(400);
    expect(JSON.stringify(refused.body)).toMatch(message);
    expect((await pull()).text).toBe(stateOf({}));
    expect(await push(stateOf(fields), "?force=true")).toMatchObject({ status: 204 });
    expect((await pull()).text).toBe(stateOf(fields));
  });

  it("compares with the state of an earlier build if the newest has none", async () => {
    await push(stateOf({}));
    number += 1;
    newest = await seedBuild(server.db, place, { number, transition: "stop", job: "failed" });
    expect((await push(stateOf({ serial: 1 }))).status).toBe(400);
    expect((await push(stateOf({ serial: 4 }))).status).toBe(204);
  });

  it("is not replaced while a build is active, or in a build that is not the newest", async () => {
    await setJob(server.db, newest.jobId, "running");
    expect(await push(stateOf({}), "?force=true")).toMatchObject({ status: 409 });
    await setJob(server.db, newest.jobId, "succeeded");
    const former = newest;
    number += 1;
    await seedBuild(server.db, place, { number, transition: "stop", job: "succeeded" });
    expect(await push(stateOf({}), "?force=true")).toMatchObject({ status: 409 });
    expect((await pull(server.admin, former)).text).toBe("");
  });

  it("is not replaced if the workspace has got a new owner meanwhile", async () => {
    const owner = await addPerson(server, `new-owner-${number}`);
    await using held = await holdOpen(server.db, (trx) =>
      sql`update workspaces set owner_id = ${owner.user.id} where id = ${place.workspaceId}`.execute(
        trx,
      ),
    );
    const pushing = push(stateOf({}));
    await Promise.race([waitForBlocked(server.db), pushing]);
    await held.commit();
    expect(await pushing).toMatchObject({ status: 409 });
    expect((await pull()).text).toBe("");
  });

  it("is not replaced by what is no state, or is no base64", async () => {
    const path = `/workspacebuilds/${newest.buildId}/state?force=true`;
    for (const state of ["", "e30", "e30=\n", inBase64("{}"), inBase64("[]"), inBase64("{")]) {
      expect(await server.request("PUT", path, { state })).toMatchObject({ status: 400 });
    }
    expect((await push("x".repeat(17 * 1024 * 1024), "?force=true")).status).toBe(413);
    expect((await pull()).text).toBe("");
  });

  it("is the driver's own if that is not terraform", async () => {
    await useDriver("external");
    expect(await push(stateOf({}))).toMatchObject({ status: 400 });
    expect(await pull()).toMatchObject({ status: 200, text: "" });
  });

  it("is absent to those who do not write templates, and replaced by owners only", async () => {
    await push(stateOf({}));
    const suffix = String(number);
    const templateAdmin = await addPerson(server, `ted${suffix}`, ["template-admin"]);
    expect((await pull(templateAdmin.client)).text).toBe(stateOf({}));
    expect(await push(stateOf({ serial: 4 }), "", templateAdmin.client)).toMatchObject({
      status: 403,
    });
    const owner = await addPerson(server, `mia${suffix}`);
    await sql`update workspaces set owner_id = ${owner.user.id}`.execute(server.db);
    expect(await pull(owner.client)).toMatchObject({ status: 404 });
    expect(await push(stateOf({ serial: 4 }), "", owner.client)).toMatchObject({ status: 404 });
    expect((await pull()).text).toBe(stateOf({}));
  });
});

it("goes with a request for a build, which continues from it", async () => {
  await push(stateOf({}));
  const path = `/workspaces/${place.workspaceId}/builds`;
  const request = (fields: object) =>
    server.request("POST", path, { transition: "stop", state: inBase64(stateOf(fields)) });
  expect(await request({ serial: 2 })).toMatchObject({ status: 400 });
  const { id: buildId } = await server.admin.call(createBuild, {
    params: { workspace: place.workspaceId },
    body: { transition: "stop", state: inBase64(stateOf({ serial: 7 })) },
  });
  number += 1;
  expect((await pull(server.admin, { ...newest, buildId })).text).toBe(stateOf({ serial: 7 }));
  const member = await addPerson(server, "may");
  await sql`update workspaces set owner_id = ${member.user.id}`.execute(server.db);
  const own = { transition: "stop", state: inBase64(stateOf({ serial: 8 })) };
  expect(await server.request("POST", path, own, member.client)).toMatchObject({ status: 403 });
});
