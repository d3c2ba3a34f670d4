import { readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import { getAgentLogs } from "@slipway/api/agents/log-routes";
import { getAgentGitKey } from "@slipway/api/agents/owner-secret-routes";
import { getExternalAuth } from "@slipway/api/external-auth/routes";
import { createToken } from "@slipway/api/users/key-routes";
import { createUser } from "@slipway/api/users/routes";
import { getWorkspaceByName } from "@slipway/api/workspaces/routes";
import { logIn, openClient, pushTemplate, testAdmin } from "@slipway/testkit";
import { type OAuthServer, openOAuthServer } from "@slipway/testkit/oauth";
import { extract } from "tar-stream";
import { afterAll, beforeAll, expect, it } from "vitest";

import { allAgents } from "../src/resources/builds/agents.ts";
import { type CommandServer, openCommandServer } from "./support/command-server.ts";

/*
 * The bundle of a workspace whose scripts print every secret that they have, on a server with a provider: the test
 * searches the bundle for all of them.
 */

const variable = "purple monkey dishwasher";
const parameter = "correct horse battery staple";
const header = "white-rabbit-object";
const secretKey = "a key of the server that is long enough";
const privateKey = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC";

const template = `
driver: process
parameters:
  db_password: { type: string, default: none }
  size: { type: string, default: small-size }
agents:
  main:
    os: linux
    arch: amd64
    env: { SIGNING_KEY_SECRET: ${variable}, EDITOR: editor-of-a-person, DATABASE: "\${{ parameters.db_password }}" }
    apps:
      web: { url: "http://localhost:8080/?key=app-url-key" }
    scripts:
      leak:
        run_on: [start]
        blocks_login: true
        run: |
          echo "agent $CODER_AGENT_TOKEN"
          echo "variable $SIGNING_KEY_SECRET"
          echo "parameter $DATABASE"
          echo "database postgres://slipway:database-password@127.0.0.1/x"
          echo "-----BEGIN PRIVATE KEY-----"
          echo "${privateKey}"
          echo "-----END PRIVATE KEY-----"
          echo "header ${header}"
          echo "< Set-Cookie: session=a-cookie-of-an-app; Path=/"
          echo "> Proxy-Authorization: Digest response=a-digest-of-a-proxy"
          echo "harmless words"
`;

const opened = new AsyncDisposableStack();
let provider: OAuthServer;
let commandServer: CommandServer;
/** Every secret, by name. */
const secrets = new Map<string, string>();

beforeAll(async () => {
  provider = opened.use(await openOAuthServer());
  const settings = { SLIPWAY_SECRET_KEY: secretKey, ...provider.settings(0, "git") };
  commandServer = opened.use(await openCommandServer(settings));
  const { admin, server } = commandServer;
  await pushTemplate(admin, "leaky", template);
  const values = join(commandServer.directory, "values.yaml");
  await writeFile(values, `db_password: ${parameter}\n`);
  expect(
    await commandServer.slipway("create demo -t leaky --rich-parameter-file @/values.yaml"),
  ).toMatchObject({ code: 0 });
  await logInToProvider();
  await collectSecrets(server.url);
});
afterAll(() => opened.disposeAsync());

/** Logs the administrator in to the provider, like a browser. */
async function logInToProvider(): Promise<void> {
  const { admin, server } = commandServer;
  const cookies = [`coder_session_token=${admin.headers["Coder-Session-Token"]}`];
  const ask = async (path: string, body?: string): Promise<Response> => {
    const response = await fetch(new URL(path, server.url), {
      ...(body === undefined ? {} : { method: "POST", body }),
      redirect: "manual",
      headers: {
        Cookie: cookies.join("; "),
        Origin: server.url,
        "Content-Type": "application/x-www-form-urlencoded",
      },
    });
    cookies.push(...response.headers.getSetCookie().map((cookie) => cookie.split(";", 1)[0] ?? ""));
    return response;
  };
  const page = await (await ask("/external-auth/git")).text();
  const nonce = /name="nonce" value="([^"]*)"/.exec(page)?.[1] ?? "";
  const sent = await ask("/external-auth/git", `nonce=${nonce}`);
  const address = (sent.headers.get("refresh") ?? "").replace(/^0; url=/, "");
  const visited = await fetch(address, { redirect: "manual" });
  const back = new URL(visited.headers.get("location") ?? "", server.url);
  await ask(`${back.pathname}${back.search}`);
  const params = { provider: "git" };
  expect(await admin.call(getExternalAuth, { params })).toMatchObject({ authenticated: true });
}

async function collectSecrets(url: string): Promise<void> {
  const { admin } = commandServer;
  const params = { user: "me", name: "demo" };
  const { latest_build: build } = await admin.call(getWorkspaceByName, { params });
  const [agent] = allAgents(build);
  const logs = await admin.call(getAgentLogs, { params: { agent: agent?.id ?? "" } });
  const log = logs.map(({ output }) => output).join("\n");
  const agentToken = /agent ([0-9a-f-]{36})/.exec(log)?.[1] ?? "";
  const gitKey = await openClient(url, agentToken).call(getAgentGitKey);
  const { key } = await admin.call(createToken, { params: { user: "me" }, body: {} });
  // The scripts have printed them: otherwise their absence from the bundle would prove nothing.
  for (const printed of [agentToken, variable, parameter, "database-password", privateKey]) {
    expect(printed).not.toBe("");
    expect(log).toContain(printed);
  }
  for (const [name, secret] of Object.entries({
    "session token": admin.headers["Coder-Session-Token"],
    "another token": key,
    "agent token": agentToken,
    password: testAdmin.password,
    "secret key": secretKey,
    "git key": gitKey.private_key.split("\n")[3],
    "client secret": provider.settings(0, "git")["SLIPWAY_EXTERNAL_AUTH_0_CLIENT_SECRET"],
    "user's token": provider.accepted[0],
    variable,
    parameter,
    header,
    "database password": "database-password",
    "private key": privateKey,
    cookie: "a-cookie-of-an-app",
    digest: "a-digest-of-a-proxy",
    "app key": "app-url-key",
    "value of a variable": "editor-of-a-person",
    "value of a parameter": "small-size",
  })) {
    secrets.set(name, secret ?? "");
  }
}

/** Runs the command in the test's directory, and reads the file that it wrote. */
async function bundleOf(line: string, file: string): Promise<Map<string, string>> {
  const { code, err } = await commandServer.slipway(`${line} --output-file @/${file} -y`);
  expect(err).toContain(`to ${join(commandServer.directory, file)}\n`);
  expect(code).toBe(0);
  return readBundle(await readFile(join(commandServer.directory, file)));
}

async function readBundle(archive: Buffer): Promise<Map<string, string>> {
  const tar = extract();
  tar.end(gunzipSync(archive));
  const files = new Map<string, string>();
  for await (const entry of tar) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry)
      if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
    files.set(entry.header.name, Buffer.concat(chunks).toString());
  }
  return files;
}

function jsonOf(files: ReadonlyMap<string, string>, name: string): unknown {
  return JSON.parse(files.get(`slipway-support/${name}`) ?? "null");
}

it("has everything about a workspace, and none of the secrets", async () => {
  const files = await bundleOf(`support bundle demo --header X-Proxy=${header}`, "all.tar.gz");
  expect(jsonOf(files, "missing.json")).toEqual([]);
  expect(jsonOf(files, "server/settings.json")).toMatchObject({ config: { database: "external" } });
  expect(jsonOf(files, "server/health.json")).toMatchObject({ healthy: true });
  expect(jsonOf(files, "user.json")).toMatchObject({ username: "admin" });
  expect(jsonOf(files, "network.json")).toMatchObject({ regions: [{ region_id: 999 }] });
  expect(jsonOf(files, "workspace/parameters.json")).toContainEqual({ name: "db_password" });
  expect(jsonOf(files, "workspace/workspace.json")).toMatchObject({
    name: "demo",
    latest_build: {
      resources: [
        { name: "home" },
        {
          agents: [
            {
              name: "main",
              environment_variables: expect.arrayContaining(["EDITOR"]),
              apps: [{ slug: "web" }],
              scripts: [{ display_name: "leak", exit_code: 0 }],
            },
          ],
        },
      ],
    },
  });
  expect(jsonOf(files, "workspace/agents/main/path.json")).toMatchObject({ path: {} });
  expect(jsonOf(files, "workspace/agents/main/network.json")).toMatchObject({ net_info: {} });
  expect(jsonOf(files, "workspace/agents/main/ports.json")).toHaveProperty("ports");
  // The driver `process` turns them off.
  expect(jsonOf(files, "workspace/agents/main/containers.json")).toEqual({
    containers: [],
    devcontainers: [],
    warnings: [expect.stringMatching(/^Containers are /)],
  });
  expect(files.get("slipway-support/workspace/builds/1.log")).toMatch(/ info /);
  const log = files.get("slipway-support/workspace/agents/main/agent.log");
  expect(log).toMatch(/\[main\/leak\] agent \[removed\]\n/);
  expect(log).toMatch(/\[main\/leak\] harmless words\n/);
  const text = [...files].flat().join("\n");
  for (const [name, secret] of secrets) {
    expect(secret, name).not.toBe("");
    expect(text.includes(secret), `the bundle has the ${name}`).toBe(false);
  }
});

it("has what a member may read, and notes what they may not", async () => {
  const { admin, server } = commandServer;
  const credentials = { email: "ada@example.com", password: "a-long-password-of-ada" };
  await admin.call(createUser, { body: { ...credentials, username: "ada" } });
  const ada = await logIn(server.url, credentials);
  const token = ada.headers["Coder-Session-Token"];
  const line = `support bundle --token ${token}`;
  const files = await bundleOf(line, "member.tar.gz");
  expect(jsonOf(files, "user.json")).toMatchObject({ username: "ada" });
  expect([...files.keys()]).not.toContain("slipway-support/server/settings.json");
  expect(jsonOf(files, "missing.json")).toContainEqual({
    part: "server/settings.json",
    problem: expect.stringMatching(/\w/),
  });
  expect([...files].flat().join("\n")).not.toContain(token);
  const { code, err } = await commandServer.slipway(
    `support bundle admin/demo --token ${token} -y --output-file @/others.tar.gz`,
  );
  expect({ code, err }).toMatchObject({ code: 4, err: expect.stringContaining("does not exist") });
  expect(await readdir(commandServer.directory)).not.toContain("others.tar.gz");
});

it("writes a file for its owner alone, and changes none that exists", async () => {
  const { directory } = commandServer;
  await bundleOf("support bundle", "private.tar.gz");
  const { mode } = await stat(join(directory, "private.tar.gz"));
  expect(mode & 0o777).toBe(0o600);
  const before = await readFile(join(directory, "private.tar.gz"));
  await symlink(join(directory, "target"), join(directory, "link.tar.gz"));
  for (const name of ["private.tar.gz", "link.tar.gz"]) {
    const again = await commandServer.slipway(`support bundle -y --output-file @/${name}`);
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining("already exists") });
  }
  expect(await readFile(join(directory, "private.tar.gz"))).toEqual(before);
  expect(await readdir(directory)).not.toContain("target");
});

it("asks first, and writes nothing after a no or without a terminal", async () => {
  const line = "support bundle demo --output-file @/asked.tar.gz";
  const refused = await commandServer.slipway(line, [false]);
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("nothing was written") });
  expect(await commandServer.slipway(line)).toMatchObject({
    code: 2,
    err: expect.stringContaining("not a terminal: pass --yes to confirm"),
  });
  expect(await readdir(commandServer.directory)).not.toContain("asked.tar.gz");
  expect(await commandServer.slipway(line, [true])).toMatchObject({ code: 0 });
  expect(await readdir(commandServer.directory)).toContain("asked.tar.gz");
});

it("prints its files as JSON, also for a workspace that is stopped", async () => {
  expect(await commandServer.slipway("stop demo")).toMatchObject({ code: 0 });
  const { code, out } = await commandServer.slipway(
    "support bundle demo -y -o json --output-file @/json.tar.gz",
  );
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    path: join(commandServer.directory, "json.tar.gz"),
    files: expect.arrayContaining(["workspace/builds/2.log", "missing.json"]),
  });
});

it("refuses an agent that the workspace does not have", async () => {
  const { code, err } = await commandServer.slipway("support bundle demo nobody -y");
  expect(code).toBe(4);
  expect(err).toMatch(/no agent/);
});
