import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createProvisionerKey } from "@slipway/api/organizations/provisioner-routes";
import { createToken } from "@slipway/api/users/key-routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import {
  buildAgent,
  logInAsAdmin,
  makeWorkspace,
  openTestDatabase,
  pushTemplate,
  type ServerProcess,
  startServerProcess,
  testAdmin,
  type TestDatabase,
  waitForWorkspace,
} from "@slipway/testkit";
import { type OAuthServer, openOAuthServer } from "@slipway/testkit/oauth";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { WebSocket } from "ws";

import { SecretBox } from "../src/platform/auth/secret-box.ts";
import { OauthProgram } from "./support/oauth-program.ts";
import type { Client } from "./support/people.ts";
import { ProviderBrowser } from "./support/provider-browser.ts";

/*
 * A complete life cycle on a server with the most verbose log, followed by a search for every secret: in the output of
 * the server and the agent, and in every column of every table.
 */
const template = `
driver: process
agents:
  main:
    os: linux
    arch: amd64
    scripts:
      hello: { run_on: [start], blocks_login: true, run: echo hello }
`;
const wrongPassword = "wrong-horse-battery-17-but-secret";
const unknownToken = "ABCDEFGHIJ-abcdefghijklmnopqrstuv";

const opened = new AsyncDisposableStack();
let dataDir: string;
let database: TestDatabase;
let server: ServerProcess;
let provider: OAuthServer;
let workspaceId: string;
/** Every secret of the test, by name. */
const secrets = new Map<string, string>();

beforeAll(async () => {
  await buildAgent();
  dataDir = await mkdtemp(join(tmpdir(), "slipway-test-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  database = opened.use(await openTestDatabase(inject("postgresUrl")));
  provider = opened.use(await openOAuthServer());
  server = opened.use(
    await startServerProcess({
      dataDir,
      port: 0,
      environment: {
        SLIPWAY_POSTGRES_URL: database.url,
        SLIPWAY_LOG_LEVEL: "debug",
        SLIPWAY_LOG_FORMAT: "json",
        ...provider.settings(0, "git"),
      },
    }),
  );
  await live();
  await server.end("SIGTERM");
});

afterAll(() => opened.disposeAsync());

async function live(): Promise<void> {
  const client = await logInAsAdmin(server.url);
  const sessionToken = client.headers["Coder-Session-Token"] ?? "";
  const secretKey = (await readFile(join(dataDir, "secret-key"), "utf8")).trim();
  const templateId = await pushTemplate(client, "mine", template);
  const workspace = await makeWorkspace(
    client,
    "dev",
    templateId,
    (agent) => agent.lifecycle_state === "ready",
  );
  workspaceId = workspace.id;
  const agentToken = await readAgentToken(secretKey);
  const gitKey = await fetchGitKey(agentToken);
  for (const [name, secret] of Object.entries({
    password: testAdmin.password,
    "wrong password": wrongPassword,
    "session token": sessionToken.split("-")[1] ?? "",
    "unknown token": unknownToken.split("-")[1] ?? "",
    "agent token": agentToken,
    "secret key": secretKey,
    "git key": gitKey,
  })) {
    secrets.set(name, secret);
  }
  await lend(client);
  await failAround(sessionToken, agentToken);
  const body = { transition: "stop" } as const;
  await client.call(createBuild, { params: { workspace: workspaceId }, body });
  await waitForWorkspace(
    client,
    workspaceId,
    ({ latest_build: build }) => build.status === "stopped",
  );
  // The agent of a build that has ended.
  await send("/workspaceagents/me/gitsshkey", { headers: { "Coder-Session-Token": agentToken } });
}

/** Lets programs and providers in, whose secrets are others than those of people and agents. */
async function lend(client: Client): Promise<void> {
  await new ProviderBrowser(server, client).logIn("git");
  const program = await OauthProgram.register(server);
  const code = (await program.decide({ client })).searchParams.get("code") ?? "";
  const { body: first } = await program.redeem(code);
  const { body: second } = await program.refresh(String(first["refresh_token"]));
  // Both were used before.
  await program.refresh(String(first["refresh_token"]));
  await program.redeem(code);
  const { key: token } = await client.call(createToken, { params: { user: "me" }, body: {} });
  const { key } = await client.call(createProvisionerKey, {
    params: { organization: "default" },
    body: { name: "far" },
  });
  secrets.set("token of a provider", provider.accepted.at(-1) ?? "");
  secrets.set("secret of a client", "the secret of the client");
  secrets.set("code", code);
  secrets.set("refresh token", String(first["refresh_token"]));
  secrets.set("next refresh token", String(second["refresh_token"]));
  secrets.set("access token", String(second["access_token"]).split("-")[1] ?? "");
  secrets.set("API token", token.split("-")[1] ?? "");
  secrets.set("provisioner key", key);
}

async function readAgentToken(secretKey: string): Promise<string> {
  const { auth_token_encrypted: sealed } = await database.db
    .selectFrom("workspace_agents")
    .select("auth_token_encrypted")
    .executeTakeFirstOrThrow();
  return new SecretBox([secretKey]).open(sealed);
}

/** Fetches the middle of the private key, without the lines that every key has. */
async function fetchGitKey(agentToken: string): Promise<string> {
  const headers = { "Coder-Session-Token": agentToken };
  const { private_key: key } = await send("/workspaceagents/me/gitsshkey", { headers });
  return String(key).split("\n")[3] ?? "";
}

/** Sends failing requests with secrets in every possible place. */
async function failAround(sessionToken: string, agentToken: string): Promise<void> {
  for (const token of [sessionToken, agentToken, unknownToken]) {
    for (const path of ["/nope", "/workspaces/nope", "/workspaceagents/me/gitsshkey", "/users"]) {
      await send(`${path}?coder_session_token=${token}`);
      await send(`${path}?access_token=${token}`);
      await send(path, { headers: { Cookie: `coder_session_token=${token}` } });
      await send(path, { headers: { Authorization: `Bearer ${token}` } });
      await send(path, { method: "POST", headers: { "Coder-Session-Token": token }, body: "{" });
    }
    await failSocket(`/workspaceagents/me/rpc?version=9.9&coder_session_token=${token}`);
  }
  const login = (body: unknown): Promise<Record<string, unknown>> =>
    send("/users/login", { method: "POST", body: JSON.stringify(body) });
  await login({ email: testAdmin.email, password: wrongPassword });
  await login({ email: [testAdmin.password], password: wrongPassword });
  await send("/users/login", { method: "POST", body: `{"password":"${testAdmin.password}"` });
}

async function send(path: string, init: RequestInit = {}): Promise<Record<string, unknown>> {
  const response = await fetch(`${server.url}/api/v2${path}`, init);
  const text = await response.text();
  return text.startsWith("{") ? Object(JSON.parse(text)) : {};
}

async function failSocket(path: string): Promise<void> {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/api/v2${path}`);
  socket.on("error", () => undefined);
  await new Promise((resolve) => {
    socket.on("close", resolve);
  });
}

it("has seen secrets of every kind", () => {
  for (const [name, secret] of secrets) expect(secret.length, name).toBeGreaterThan(20);
  expect(secrets.size).toBe(15);
});

it("prints none of them", () => {
  const output = server.output();
  expect(output.split("\n").length).toBeGreaterThan(5);
  expect(found(output)).toEqual([]);
});

it("leaves none of them in the agent's log", async () => {
  const log = await readFile(join(dataDir, "workspaces", workspaceId, "agent.log"), "utf8");
  expect(log.length).toBeGreaterThan(0);
  expect(found(log)).toEqual([]);
});

it("keeps none of them in clear in any table", async () => {
  const { rows: tables } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables
    where table_schema = 'public' and table_type = 'BASE TABLE'`.execute(database.db);
  expect(tables.length).toBeGreaterThan(15);
  const places: string[] = [];
  for (const { name } of tables) {
    const { rows } = await sql<{ text: string }>`
      select t::text as text from ${sql.table(name)} as t`.execute(database.db);
    places.push(
      ...found(rows.map((row) => row.text).join("\n")).map((kind) => `${kind} in ${name}`),
    );
  }
  expect(places).toEqual([]);
});

/** Returns the secrets in a text, also in hexadecimal or Base64. */
function found(text: string): string[] {
  return [...secrets].flatMap(([name, secret]) => {
    const bytes = Buffer.from(secret);
    const forms = [secret, bytes.toString("hex"), bytes.toString("base64").replace(/=+$/, "")];
    return forms.some((form) => text.includes(form)) ? [name] : [];
  });
}
