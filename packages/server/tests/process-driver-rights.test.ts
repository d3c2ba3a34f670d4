import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { getBuildLogs } from "@slipway/api/builds/routes";
import { tarMimeType, uploadFile } from "@slipway/api/files/routes";
import { createTemplate, getTemplate, listTemplateExamples } from "@slipway/api/templates/routes";
import type { TemplateVersion } from "@slipway/api/templates/template-version";
import {
  createTemplateVersion,
  getTemplateVersion,
  getTemplateVersionLogs,
  updateActiveVersion,
} from "@slipway/api/templates/version-routes";
import { updateUserRoles } from "@slipway/api/users/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace, getWorkspace } from "@slipway/api/workspaces/routes";
import {
  logInAsAdmin,
  makeWorkspace,
  openTestDatabase,
  packTemplate,
  pushTemplate,
  startServerProcess,
  waitForWorkspace,
} from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";

import { type OpenServer, openServer } from "./support/open-server.ts";
import { addPerson, type Client } from "./support/people.ts";

const process = "\ndriver: process\nagents:\n  main: { os: linux, arch: amd64 }\n";
const external = process.replace("process", "external");
const organization = { organization: "default" };

/** Pushes a version and waits for the end of its import. */
async function pushVersion(client: Client, yaml: string, templateId?: string) {
  const bytes = await packTemplate(yaml);
  const { hash } = await client.upload(uploadFile, { bytes, contentType: tarMimeType });
  const body = {
    file_id: hash,
    ...(templateId === undefined ? {} : { template_id: templateId }),
  };
  const { id } = await client.call(createTemplateVersion, { params: organization, body });
  return vi.waitFor(async () => {
    const version = await client.call(getTemplateVersion, { params: { version: id } });
    expect(version.job.completed_at).toBeDefined();
    return version;
  }, 20_000);
}

async function importLog(client: Client, { id }: TemplateVersion): Promise<string> {
  const lines = await client.call(getTemplateVersionLogs, { params: { version: id } });
  return lines.map(({ output }) => output).join("\n");
}

describe("where the driver is on", () => {
  const ownersAlone =
    "runs scripts on the server's machine, so only owners can write templates for it";
  let server: OpenServer;
  let writer: Client;

  beforeAll(async () => {
    server = await openServer(inject("postgresUrl"));
    ({ client: writer } = await addPerson(server, "writer", ["template-admin"]));
  });

  afterAll(() => server[Symbol.asyncDispose]());

  it("template admins push no template for it, and are told the place in the file", async () => {
    const version = await pushVersion(writer, process);
    expect(version.job).toMatchObject({
      status: "failed",
      error: `slipway.yaml has 1 problem, the first at line 2, column 9: the driver \`process\` ${ownersAlone}`,
    });
    expect(await importLog(writer, version)).toContain("slipway.yaml:2:9: driver: ");
    expect((await pushVersion(server.admin, process)).job.status).toBe("succeeded");
    expect((await pushVersion(writer, external)).job.status).toBe("succeeded");
  });

  it("template admins make no template of a version that an owner pushed, nor one its active one", async () => {
    const forbidden = { status: 403, body: { detail: `The driver "process" ${ownersAlone}.` } };
    const version = await pushVersion(server.admin, process);
    const body = { name: "taken", template_version_id: version.id };
    await expect(writer.call(createTemplate, { params: organization, body })).rejects.toMatchObject(
      forbidden,
    );

    const templateId = await pushTemplate(writer, "harmless", external);
    const params = { template: templateId };
    const { active_version_id: before } = await writer.call(getTemplate, { params });
    const { id } = await pushVersion(server.admin, process, templateId);
    await expect(writer.call(updateActiveVersion, { params, body: { id } })).rejects.toMatchObject(
      forbidden,
    );
    expect(await writer.call(getTemplate, { params })).toMatchObject({ active_version_id: before });
    await server.admin.call(updateActiveVersion, { params, body: { id } });
  });

  it("an owner who is one no longer when the import runs pushes none", async () => {
    const { user, client } = await addPerson(server, "former", ["owner"]);
    const bytes = await packTemplate(process);
    const { hash } = await client.upload(uploadFile, { bytes, contentType: tarMimeType });
    const params = { user: user.id };
    await server.admin.call(updateUserRoles, { params, body: { roles: ["template-admin"] } });
    const created = await client.call(createTemplateVersion, {
      params: organization,
      body: { file_id: hash },
    });
    await vi.waitFor(async () => {
      const { job } = await client.call(getTemplateVersion, { params: { version: created.id } });
      expect(job.status).toBe("failed");
    }, 20_000);
  });

  it("examples are listed for those who may push them", async () => {
    const idsFor = async (client: Client): Promise<string[]> =>
      (await client.call(listTemplateExamples, { params: organization })).map(({ id }) => id);
    expect(await idsFor(server.admin)).toContain("demo");
    expect(await idsFor(writer)).not.toContain("demo");
    const body = { example_id: "demo" };
    await expect(
      writer.call(createTemplateVersion, { params: organization, body }),
    ).rejects.toMatchObject({ status: 400 });
  });
});

it("where it is disabled nothing is pushed or started, and what runs can be stopped", async () => {
  await using opened = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-test-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const database = opened.use(await openTestDatabase(inject("postgresUrl")));
  const start = (isOn: string) =>
    startServerProcess({
      dataDir,
      port: 0,
      environment: { SLIPWAY_POSTGRES_URL: database.url, SLIPWAY_PROCESS_DRIVER: isOn },
    });
  const on = opened.use(await start("true"));
  const before = await logInAsAdmin(on.url);
  const templateId = await pushTemplate(before, "box", process);
  const { id } = await makeWorkspace(before, "running", templateId, ({ status }) => {
    return status === "connected";
  });
  await on.end("SIGTERM");

  const off = opened.use(await start(""));
  const admin = await logInAsAdmin(off.url);
  const how = "set SLIPWAY_PROCESS_DRIVER=true to enable it";
  const version = await pushVersion(admin, process);
  expect(version.job).toMatchObject({ status: "failed", error: expect.stringContaining(how) });
  expect(version.job.error).toContain("line 2, column 9");

  const body = { name: "second", template_id: templateId };
  const made = await admin.call(createWorkspace, { params: { user: "me" }, body });
  const failed = await vi.waitFor(async () => {
    const found = await admin.call(getWorkspace, { params: { workspace: made.id } });
    expect(found.latest_build.status).toBe("failed");
    return found.latest_build;
  }, 20_000);
  expect(failed.job.error).toContain(how);
  const lines = await admin.call(getBuildLogs, { params: { build: failed.id } });
  expect(lines.map(({ output }) => output).join("\n")).toContain(how);

  expect(off.output()).toContain("workspace of a disabled driver");
  const stop = { params: { workspace: id }, body: { transition: "stop" } } as const;
  await admin.call(createBuild, stop);
  await waitForWorkspace(admin, id, ({ latest_build: build }) => build.status === "stopped");
});
