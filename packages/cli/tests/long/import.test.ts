import { writeFile } from "node:fs/promises";
import { createServer, request as sendRequest } from "node:http";
import { join } from "node:path";

import { listBuildParameters } from "@slipway/api/builds/routes";
import { listTemplates, updateTemplate } from "@slipway/api/templates/routes";
import { listTemplateVersions, updateActiveVersion } from "@slipway/api/templates/version-routes";
import { createUser, listUsers, suspendUser, updateUserRoles } from "@slipway/api/users/routes";
import {
  createWorkspace,
  favoriteWorkspace,
  listWorkspaces,
  updateDormancy,
} from "@slipway/api/workspaces/routes";
import { openLocalServer, pushTemplate, pushVersion } from "@slipway/testkit";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";

import {
  type CommandResult,
  type CommandServer,
  openCommandServer,
} from "../support/command-server.ts";

/*
 * Imports from one server of ours into another: both speak the API of a stock server. `interop/stock-import.test.ts` does so
 * from a stock server.
 */

const definition = `
driver: external
parameters:
  size: { type: string, default: small }
agents:
  main: { os: linux, arch: amd64, directory: /tmp }
`;

const opened = new AsyncDisposableStack();
let source: CommandServer;
let target: CommandServer;
let tokenFile = "";

beforeAll(async () => {
  [source, target] = await Promise.all([openCommandServer(), openCommandServer()]);
  opened.use(source);
  opened.use(target);
  tokenFile = join(target.directory, "token");
  await writeFile(tokenFile, `${source.admin.headers["Coder-Session-Token"]}\n`);
  await fillSource();
});
afterAll(() => opened.disposeAsync());

/** Creates two users, a template of two versions that is deprecated, and a workspace of the first version. */
async function fillSource(): Promise<void> {
  const { admin } = source;
  const people = ["ada", "bob"].map((username) => ({
    username,
    email: `${username}@example.com`,
    password: "a-Password-4-tests",
  }));
  for (const body of people) await admin.call(createUser, { body });
  await admin.call(updateUserRoles, { params: { user: "ada" }, body: { roles: ["auditor"] } });
  const params = { template: await pushTemplate(admin, "box", definition) };
  const [first] = await admin.call(listTemplateVersions, { params });
  await admin.call(updateTemplate, {
    params,
    body: { display_name: "Box", default_ttl_ms: 3_600_000, time_til_dormant_ms: 86_400_000 },
  });
  for (const user of ["ada", "bob", "me"]) {
    const { id } = await admin.call(createWorkspace, {
      params: { user },
      body: {
        name: "dev",
        template_version_id: first?.id ?? "",
        transition: "stop",
        rich_parameter_values: [{ name: "size", value: "large" }],
        autostart_schedule: "CRON_TZ=UTC 30 9 * * 1-5",
        automatic_updates: "always",
        ttl_ms: 7_200_000,
      },
    });
    if (user === "me") await admin.call(favoriteWorkspace, { params: { workspace: id } });
    if (user === "bob") {
      const body = { dormant: true };
      await admin.call(updateDormancy, { params: { workspace: id }, body });
    }
  }
  await admin.call(suspendUser, { params: { user: "bob" } });
  const id = await pushVersion(admin, `${definition}description: second\n`, {
    templateId: params.template,
  });
  await admin.call(updateActiveVersion, { params, body: { id } });
  await admin.call(updateTemplate, { params, body: { deprecation_message: "use crate" } });
}

function slipway(line: string, environment = target.environment): Promise<CommandResult> {
  return target.slipway(line, undefined, "", environment);
}

function importFrom(url: string, flags = ""): Promise<CommandResult> {
  return slipway(`import coder ${url} --token-file ${tokenFile} ${flags}`.trimEnd());
}

interface ProxyAnswer {
  readonly status: number;
  readonly retryAfter?: string;
}

/** Opens a proxy to the source that answers some requests itself. */
async function openProxy(answerTo: (path: string) => ProxyAnswer | undefined): Promise<string> {
  const server = createServer((request, response) => {
    const answer = answerTo(request.url ?? "");
    if (answer !== undefined) {
      const { status, retryAfter } = answer;
      const wait = retryAfter === undefined ? {} : { "Retry-After": retryAfter };
      response.writeHead(status, wait).end();
      return;
    }
    const { method, headers } = request;
    const sent = sendRequest(`${source.server.url}${request.url}`, { method, headers });
    sent.on("response", (message) => {
      response.writeHead(message.statusCode ?? 500, message.headers);
      message.pipe(response);
    });
    request.pipe(sent);
  });
  const proxy = await openLocalServer(server);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  return proxy.url;
}

it("prints what would come over, and changes nothing", async () => {
  const { code, out, err } = await importFrom(source.server.url, "--dry-run -o json");
  expect(code).toBe(0);
  const entries: unknown = JSON.parse(out);
  expect(entries).toContainEqual({
    kind: "user",
    name: "ada",
    outcome: "create",
    detail: "needs a new password",
  });
  expect(entries).toContainEqual(expect.objectContaining({ name: "bob/dev", detail: "dormant" }));
  expect(err).toBe(
    "create: 2 users, 1 template, 2 versions, 3 workspaces\npresent: 1 user\nnothing was changed\n",
  );
  expect((await target.admin.call(listUsers)).users).toHaveLength(1);
  expect(await target.admin.call(listTemplates)).toEqual([]);
});

it("requires a confirmation, and another server", async () => {
  expect(await importFrom(source.server.url)).toMatchObject({
    code: 2,
    err: expect.stringContaining("not a terminal: pass --yes to confirm"),
  });
  expect(await importFrom(target.server.url, "--dry-run")).toMatchObject({
    code: 2,
    err: expect.stringContaining("log in to the server that imports"),
  });
});

it("refuses the token of another server and of another user than an owner", async () => {
  await writeFile(join(target.directory, "wrong"), "nonsense");
  const line = `import coder ${source.server.url} --token-file @/wrong --yes`;
  const wrong = await slipway(line);
  expect(wrong).toMatchObject({ code: 3, out: "" });
  expect(wrong.err).toContain(`${source.server.url} rejected the token`);
});

it("continues after an interruption, waits for a busy server, and overwrites nothing", async () => {
  const waits = ["0.1"];
  let downloads = 0;
  const url = await openProxy((path) => {
    if (!path.startsWith("/api/v2/files/")) return undefined;
    const retryAfter = waits.shift();
    if (retryAfter !== undefined) return { status: 429, retryAfter };
    downloads += 1;
    return downloads === 2 ? { status: 401 } : undefined;
  });
  const broken = await importFrom(url, "--yes");
  expect(broken).toMatchObject({ code: 3 });
  const [half] = await target.admin.call(listTemplates);
  expect(half).toMatchObject({ name: "box", display_name: "" });

  const { code, out } = await importFrom(source.server.url, "--yes -o json");
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject([
    { name: "ada", outcome: "present" },
    { name: "admin", outcome: "present" },
    { name: "bob", outcome: "present" },
    { name: "box", outcome: "completed" },
    { kind: "version", outcome: "present" },
    { kind: "version", outcome: "created" },
    { name: "ada/dev", outcome: "created" },
    { name: "admin/dev", outcome: "created" },
    { name: "bob/dev", outcome: "created" },
  ]);
  const again = await importFrom(source.server.url, "--yes");
  expect(again).toMatchObject({
    code: 0,
    err: "present: 3 users, 1 template, 2 versions, 3 workspaces\nnothing to import\n",
  });
});

it("brought over what there was", async () => {
  const { users } = await target.admin.call(listUsers);
  expect(users).toMatchObject([
    { username: "ada", status: "dormant", roles: [{ name: "auditor" }] },
    { username: "admin" },
    { username: "bob", status: "suspended", roles: [] },
  ]);
  const [there] = await source.admin.call(listTemplates, { query: { q: "deprecated:true" } });
  const [here] = await target.admin.call(listTemplates, { query: { q: "deprecated:true" } });
  const settings = {
    display_name: "Box",
    default_ttl_ms: 3_600_000,
    time_til_dormant_ms: 86_400_000,
    deprecation_message: "use crate",
  };
  expect([there, here]).toMatchObject([settings, settings]);
  const versions = await target.admin.call(listTemplateVersions, {
    params: { template: here?.id ?? "" },
  });
  const active = versions.find(({ id }) => id === here?.active_version_id);
  const sources = await source.admin.call(listTemplateVersions, {
    params: { template: there?.id ?? "" },
  });
  expect(active?.name).toBe(sources.find(({ id }) => id === there?.active_version_id)?.name);

  const { workspaces } = await target.admin.call(listWorkspaces, { query: { q: "name:dev" } });
  expect(workspaces.map(({ owner_name: owner }) => owner).toSorted()).toEqual([
    "ada",
    "admin",
    "bob",
  ]);
  for (const { dormant_at: dormantAt, ...workspace } of workspaces) {
    expect(dormantAt !== null).toBe(workspace.owner_name === "bob");
    expect(workspace).toMatchObject({
      autostart_schedule: "CRON_TZ=UTC 30 9 * * 1-5",
      automatic_updates: "always",
      ttl_ms: 7_200_000,
      outdated: true,
      favorite: workspace.owner_name === "admin",
      latest_build: { transition: "stop", status: "stopped", build_number: 1 },
    });
    const params = { build: workspace.latest_build.id };
    expect(await target.admin.call(listBuildParameters, { params })).toEqual([
      { name: "size", value: "large" },
    ]);
  }
});

it("takes CODER_SESSION_TOKEN for the server that is read", async () => {
  const { CODER_URL: url, CODER_SESSION_TOKEN: token, ...others } = target.environment;
  const environment = {
    ...others,
    SLIPWAY_URL: url,
    SLIPWAY_SESSION_TOKEN: token,
    CODER_URL: source.server.url,
    CODER_SESSION_TOKEN: source.environment["CODER_SESSION_TOKEN"],
  };
  const line = `import coder ${source.server.url} --dry-run`;
  expect(await slipway(line, environment)).toMatchObject({ code: 0 });
});
