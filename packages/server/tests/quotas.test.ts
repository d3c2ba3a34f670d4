import type { WorkspaceBuild } from "@slipway/api/builds/build";
import { maxFileBytes, tarMimeType } from "@slipway/api/files/routes";
import { getTemplate, listTemplateExamples } from "@slipway/api/templates/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import type { DriverResult } from "@slipway/drivers";
import { whenAborted } from "@slipway/runtime";
import { pushTemplate, waitForWorkspace } from "@slipway/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { IdleDriver } from "./support/idle-driver.ts";
import { type Answer, type OpenServer, openServer } from "./support/open-server.ts";
import { addPerson, type Client } from "./support/people.ts";
import { claim, fillPool, pushPool } from "./support/pool.ts";

const template = (driver: string): string =>
  `driver: ${driver}\nagents:\n  main: { os: linux, arch: amd64 }\n`;

const opened = new AsyncDisposableStack();
afterAll(() => opened.disposeAsync());

function create(
  server: OpenServer,
  client: Client,
  name: string,
  templateId: string,
): Promise<Answer> {
  const body = { name, template_id: templateId };
  return server.request("POST", "/users/me/workspaces", body, client);
}

function statusesOf(answers: readonly Answer[]): readonly number[] {
  return answers.map(({ status }) => status).toSorted((a, b) => a - b);
}

function build(
  client: Client,
  { id }: Pick<Workspace, "id">,
  transition: WorkspaceBuild["transition"],
): Promise<WorkspaceBuild> {
  return client.call(createBuild, { params: { workspace: id }, body: { transition } });
}

/** Creates a workspace and waits until it runs. */
async function run(client: Client, name: string, templateId: string): Promise<Workspace> {
  const body = { name, template_id: templateId };
  const { id } = await client.call(createWorkspace, { params: { user: "me" }, body });
  return waitForWorkspace(client, id, (one) => one.latest_build.status === "running");
}

describe("the number of a user's workspaces", () => {
  let server: OpenServer;
  let templateId: string;

  beforeAll(async () => {
    const environment = { SLIPWAY_MAX_WORKSPACES_PER_USER: "3" };
    server = opened.use(await openServer(inject("postgresUrl"), environment));
    templateId = await pushTemplate(server.admin, "outside", template("external"));
  });

  it("stays within the limit, also when many are asked for at once", async () => {
    const { client } = await addPerson(server, "ann");
    const names = Array.from({ length: 8 }, (_, index) => `dev${index}`);
    const answers = await Promise.all(
      names.map((name) => create(server, client, name, templateId)),
    );
    expect(statusesOf(answers)).toEqual([201, 201, 201, 409, 409, 409, 409, 409]);
    expect(answers.find(({ status }) => status === 409)?.body).toEqual({
      message: "The limit of 3 workspaces per user is reached.",
      detail:
        "ann has 3. Delete one that is no longer needed. An administrator can raise SLIPWAY_MAX_WORKSPACES_PER_USER.",
    });
  });

  it("counts what an administrator makes for them, and not what they deleted", async () => {
    const { client, user } = await addPerson(server, "bob");
    const body = (name: string) => ({ name, template_id: templateId });
    const byAdmin = (name: string) =>
      server.request("POST", `/users/${user.id}/workspaces`, body(name));
    const first = await run(client, "one", templateId);
    await run(client, "two", templateId);
    expect(await byAdmin("three")).toMatchObject({ status: 201 });
    expect(await byAdmin("four")).toMatchObject({ status: 409 });
    await build(client, first, "delete");
    await expect.poll(async () => (await byAdmin("four")).status).toBe(201);
  });

  it("counts claims, and a prebuild that is refused goes on waiting", async () => {
    const pool = await pushPool(server, 1);
    await fillPool(server, 1, opened);
    const { client } = await addPerson(server, "cat");
    for (const name of ["one", "two", "three"]) await run(client, name, templateId);
    await expect(claim(client, "four", pool)).rejects.toMatchObject({ status: 409 });
    const { client: other } = await addPerson(server, "dan");
    expect(await claim(other, "four", pool)).toMatchObject({
      latest_build: { build_number: 2, status: "running" },
    });
  });
});

describe("the number of workspaces that a user runs", () => {
  let server: OpenServer;
  let templateId: string;

  beforeAll(async () => {
    const environment = { SLIPWAY_MAX_RUNNING_WORKSPACES_PER_USER: "2" };
    server = opened.use(await openServer(inject("postgresUrl"), environment));
    templateId = await pushTemplate(server.admin, "outside", template("external"));
  });

  it("stays within the limit, whichever way they start", async () => {
    const { client } = await addPerson(server, "ann");
    const one = await run(client, "one", templateId);
    const two = await run(client, "two", templateId);
    expect(await create(server, client, "three", templateId)).toMatchObject({
      status: 409,
      body: {
        message: "The limit of 2 started workspaces per user is reached.",
        detail:
          "ann has 2 that are not stopped. Stop one first. An administrator can raise SLIPWAY_MAX_RUNNING_WORKSPACES_PER_USER.",
      },
    });
    // A build of a running workspace does not increase their number.
    await build(client, two, "start");
    await build(client, one, "stop");
    await waitForWorkspace(client, one.id, (each) => each.latest_build.status === "stopped");
    await run(client, "three", templateId);
    await expect(build(client, one, "start")).rejects.toMatchObject({ status: 409 });
    await expect(build(server.admin, one, "start")).rejects.toMatchObject({ status: 409 });
  });

  it("counts none that is created stopped, until it starts", async () => {
    const { client, user } = await addPerson(server, "cat");
    await run(client, "one", templateId);
    await run(client, "two", templateId);
    const stopped = await client.call(createWorkspace, {
      params: { user: user.id },
      body: { name: "three", template_id: templateId, transition: "stop" },
    });
    await expect(build(client, stopped, "start")).rejects.toMatchObject({ status: 409 });
  });

  it("counts one whose stop did not succeed", async () => {
    const { client } = await addPerson(server, "bob");
    const one = await run(client, "one", templateId);
    await run(client, "two", templateId);
    const { job } = await build(client, one, "stop");
    await waitForWorkspace(client, one.id, (each) => each.latest_build.status === "stopped");
    await server.db.updateTable("jobs").set({ error: "broken" }).where("id", "=", job.id).execute();
    expect(await create(server, client, "three", templateId)).toMatchObject({ status: 409 });
    await build(client, one, "delete");
    await expect
      .poll(async () => (await create(server, client, "three", templateId)).status)
      .toBe(201);
  });
});

/** A driver whose starts, and on demand plans, end only with the test. */
class EndlessDriver extends IdleDriver {
  isPlanEndless = false;

  override async plan(_input: unknown, _log: unknown, signal: AbortSignal): Promise<DriverResult> {
    return this.isPlanEndless ? this.start(_input, _log, signal) : this.stop();
  }

  override async start(_build: unknown, _log: unknown, signal: AbortSignal): Promise<DriverResult> {
    await whenAborted(signal);
    throw signal.reason;
  }
}

describe("the number of builds that a user has going", () => {
  let server: OpenServer;
  let slowId: string;
  let quickId: string;

  beforeAll(async () => {
    const environment = { SLIPWAY_MAX_PENDING_BUILDS_PER_USER: "2" };
    server = opened.use(
      await openServer(inject("postgresUrl"), environment, [new EndlessDriver()]),
    );
    slowId = await pushTemplate(server.admin, "slow", template("manual"));
    quickId = await pushTemplate(server.admin, "quick", template("external"));
  });

  it("stays within the limit for starts, and stops none of the rest", async () => {
    const { client, user } = await addPerson(server, "ann");
    const quick = await run(client, "quick", quickId);
    const names = ["one", "two", "three", "four"];
    const answers = await Promise.all(names.map((name) => create(server, client, name, slowId)));
    expect(statusesOf(answers)).toEqual([201, 201, 429, 429]);
    await expect(build(client, quick, "start")).rejects.toMatchObject({
      status: 429,
      message: expect.stringContaining("The limit of 2 builds at once per user is reached."),
    });
    // It is whoever asks for a build that has room for it, not the owner.
    const body = { name: "five", template_id: slowId };
    const byAdmin = await server.request("POST", `/users/${user.id}/workspaces`, body);
    expect(byAdmin).toMatchObject({ status: 201 });
    await build(client, quick, "stop");
    await waitForWorkspace(client, quick.id, (one) => one.latest_build.status === "stopped");
    await build(client, quick, "delete");
    const { client: bob } = await addPerson(server, "bob");
    await run(bob, "quick", quickId);
  });
});

describe("what a user pushes and tries out", () => {
  const driver = new EndlessDriver();
  let server: OpenServer;

  beforeAll(async () => {
    const environment = {
      SLIPWAY_MAX_TEMPLATE_VERSIONS_PER_DAY: "2",
      SLIPWAY_MAX_DRY_RUNS_PER_USER: "2",
      SLIPWAY_MAX_UNUSED_FILE_BYTES_PER_USER: String(maxFileBytes),
    };
    server = opened.use(await openServer(inject("postgresUrl"), environment, [driver]));
  });

  it("has a limit of versions a day, also when many are pushed at once", async () => {
    const { client } = await addPerson(server, "ann", ["template-admin"]);
    const [example] = await client.call(listTemplateExamples, {
      params: { organization: "default" },
    });
    expect(example?.id).toBeDefined();
    const path = "/organizations/default/templateversions";
    const push = (by = client) => server.request("POST", path, { example_id: example?.id }, by);
    const answers = await Promise.all(Array.from({ length: 5 }, () => push()));
    expect(statusesOf(answers)).toEqual([201, 201, 409, 409, 409]);
    expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({
      detail: expect.stringContaining("SLIPWAY_MAX_TEMPLATE_VERSIONS_PER_DAY"),
    });
    const abe = await addPerson(server, "abe", ["template-admin"]);
    expect(await push(abe.client)).toMatchObject({ status: 201 });
    for (const [age, status] of [
      ["23 hours", 409],
      ["25 hours", 201],
    ] as const) {
      await sql`update template_versions set created_at = now() - ${age}::interval`.execute(
        server.db,
      );
      expect(await push()).toMatchObject({ status });
    }
  });

  it("has a limit of bytes that no version uses, whoever else has some", async () => {
    const { client } = await addPerson(server, "bob", ["template-admin"]);
    const upload = async (fill: number, bytes: number, by: Client): Promise<number> => {
      const response = await fetch(`${server.url}/api/v2/files`, {
        method: "POST",
        headers: { ...by.headers, "Content-Type": tarMimeType },
        body: Buffer.alloc(bytes, fill),
      });
      await response.body?.cancel();
      return response.status;
    };
    const half = maxFileBytes / 2;
    const statuses = await Promise.all([1, 2, 3, 4].map((fill) => upload(fill, half, client)));
    expect(statuses.toSorted((a, b) => a - b)).toEqual([201, 201, 409, 409]);
    expect(await upload(5, 1, client)).toBe(409);
    const known = [1, 2, 3, 4][statuses.indexOf(201)] ?? 0;
    expect(await upload(known, half, client)).toBe(200);
    expect(await upload(5, 1, server.admin)).toBe(201);
  });

  it("has a limit of dry runs at once", async () => {
    const templateId = await pushTemplate(server.admin, "slow", template("manual"));
    const { active_version_id: version } = await server.admin.call(getTemplate, {
      params: { template: templateId },
    });
    driver.isPlanEndless = true;
    const { client } = await addPerson(server, "cat");
    const path = `/templateversions/${version}/dry-run`;
    const dryRun = () => server.request("POST", path, {}, client);
    const answers = await Promise.all(Array.from({ length: 5 }, dryRun));
    expect(statusesOf(answers)).toEqual([201, 201, 429, 429, 429]);
    const { client: dan } = await addPerson(server, "dan");
    expect(await server.request("POST", path, {}, dan)).toMatchObject({ status: 201 });
  });
});
