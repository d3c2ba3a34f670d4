import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace } from "@slipway/api/workspaces/routes";
import { silentLogger } from "@slipway/runtime";
import {
  firstAgent,
  logInAsAdmin,
  openTestDatabase,
  pushTemplate,
  readAgentToken,
  testAdmin,
  type TestDatabase,
  testPasswordHash,
  waitForWorkspace,
} from "@slipway/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";

import { insertFirstUser } from "../src/features/users/admin-service.ts";
import { runRotateKey } from "../src/main/rotate-key.ts";
import { createServer, type Server } from "../src/main/server.ts";
import { readSettings } from "../src/platform/config/settings.ts";

/* A server whose key is not the one that encrypted the secrets in its database. */
const template = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";
const otherKey = "a-key-that-encrypted-nothing-of-this-test";

const opened = new AsyncDisposableStack();
let database: TestDatabase;
let dataDir: string;

beforeAll(async () => {
  database = opened.use(await openTestDatabase(inject("postgresUrl")));
});

beforeEach(async () => {
  dataDir = await makeDirectory();
});

afterAll(() => opened.disposeAsync());

async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-test-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function startServer(
  directory: string,
  settings: Readonly<Record<string, string>> = {},
  postgresUrl = database.url,
): Promise<Server> {
  const source = {
    SLIPWAY_HTTP_ADDRESS: "127.0.0.1:0",
    SLIPWAY_DATA_DIR: directory,
    SLIPWAY_POSTGRES_URL: postgresUrl,
    ...settings,
  };
  const { email } = testAdmin;
  return createServer({
    settings: readSettings(source, false),
    agentCommand: [],
    logger: silentLogger,
    beforeListening: async (db) => {
      const admin = { username: "admin", email, name: "", passwordHash: testPasswordHash };
      if (!(await hasUser(db, email))) await insertFirstUser(db, admin);
    },
    signal: new AbortController().signal,
  });
}

async function hasUser(db: Server["db"], email: string): Promise<boolean> {
  const rows = await db.selectFrom("users").where("email", "=", email).select("id").execute();
  return rows.length > 0;
}

const keyFile = (directory: string): string => join(directory, "secret-key");

/** Re-encrypts every secret with the key of another server. */
async function loseKey(): Promise<void> {
  await sql`update workspace_agents set auth_token_encrypted =
    overlay(auth_token_encrypted placing '\\x00000000'::bytea from 2)`.execute(database.db);
}

describe("a server without the key of its database", () => {
  let home: string;
  let key: string;

  beforeAll(async () => {
    home = await makeDirectory();
    await using server = await startServer(home);
    const client = await logInAsAdmin(server.accessUrl);
    const template_id = await pushTemplate(client, "mine", template);
    for (const name of ["one", "two", "three"]) {
      const body = { name, template_id };
      const { id } = await client.call(createWorkspace, { params: { user: "me" }, body });
      await waitForWorkspace(client, id, (workspace) => firstAgent(workspace) !== undefined);
    }

    key = (await readFile(keyFile(home), "utf8")).trim();
  });

  it("does not start when its file is lost, and names it; makes no other key", async () => {
    const lost = new RegExp(
      `\\(id [0-9a-f]{8}\\).*${keyFile(dataDir)} is missing.*SLIPWAY_SECRET_KEY`,
    );
    await expect(startServer(dataDir)).rejects.toThrow(lost);
    await expect(readFile(keyFile(dataDir))).rejects.toThrow("ENOENT");
  });

  it("does not start with another key in its file", async () => {
    await writeFile(keyFile(dataDir), otherKey);
    await expect(startServer(dataDir)).rejects.toThrow(`${keyFile(dataDir)} does not have`);
  });

  it("does not start with another configured key", async () => {
    const start = startServer(home, { SLIPWAY_SECRET_KEY: otherKey });
    await expect(start).rejects.toThrow("add that key to SLIPWAY_SECRET_KEY, behind the others");
  });

  it("does not start if the database has no secret but an agent's", async () => {
    await sql`delete from relay_mesh_keys`.execute(database.db);
    await expect(startServer(dataDir)).rejects.toThrow("is missing");
    const { rows } = await sql`select from relay_mesh_keys`.execute(database.db);
    expect(rows).toHaveLength(0);
  });

  it("starts with the key again, whatever agents have ended under another one", async () => {
    await sql`update workspace_agents set deleted = true, auth_token_encrypted = '\\x0100000000'
      where workspace_build_id in (select b.id from workspace_builds as b
        join workspaces as w on w.id = b.workspace_id where w.name = 'three')`.execute(database.db);
    await using server = await startServer(dataDir, { SLIPWAY_SECRET_KEY: `${otherKey},${key}` });
    expect(server.accessUrl).toMatch(/^http/);
  });
});

it("starts with any key on an empty database, where a second server with another one fails", async () => {
  await using empty = await openTestDatabase(inject("postgresUrl"));
  const other = await makeDirectory();
  const starts = await Promise.allSettled([
    startServer(dataDir, {}, empty.url),
    startServer(other, {}, empty.url),
  ]);
  for (const start of starts) if (start.status === "fulfilled") await start.value.close();
  expect(starts.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  const failure = starts.find((start) => start.status === "rejected");
  expect(String(failure?.reason)).toContain("the deployment's other servers");
});

describe("workspaces whose secrets cannot be decrypted", () => {
  it("are stopped, started and deleted, and their agents' owners are told", async () => {
    await using own = await openTestDatabase(inject("postgresUrl"));
    database = own;
    await using server = await startServer(dataDir);
    const client = await logInAsAdmin(server.accessUrl);
    const template_id = await pushTemplate(client, "mine", template);
    const body = { name: "dev", template_id };
    const { id } = await client.call(createWorkspace, { params: { user: "me" }, body });
    await waitForWorkspace(client, id, (workspace) => firstAgent(workspace) !== undefined);
    await loseKey();
    await expect(readAgentToken(client, id)).rejects.toThrow("cannot be decrypted");
    for (const [transition, status] of [
      ["stop", "stopped"],
      ["start", "running"],
    ] as const) {
      await client.call(createBuild, { params: { workspace: id }, body: { transition } });
      await waitForWorkspace(client, id, ({ latest_build: build }) => build.status === status);
    }
    expect(await readAgentToken(client, id)).toMatch(/^[0-9a-f-]{36}$/);
    await loseKey();
    const transition = "delete";
    await client.call(createBuild, { params: { workspace: id }, body: { transition } });
    await expect
      .poll(async () => {
        const { rows } = await sql<{ deleted: boolean }>`
          select deleted from workspaces where id = ${id}`.execute(own.db);
        return rows[0]?.deleted;
      })
      .toBe(true);
  });
});

describe("slipway server rotate-key --discard-unreadable", () => {
  async function rotate(discardsUnreadable: boolean): Promise<{ code: number; stderr: string }> {
    let stderr = "";
    const code = await runRotateKey({
      flags: { SLIPWAY_DATA_DIR: dataDir, SLIPWAY_POSTGRES_URL: database.url },
      environment: {},
      discardsUnreadable,
      stderr: (text) => (stderr += text),
      signal: new AbortController().signal,
    });
    return { code, stderr };
  }

  it("gives a deployment whose key is lost another one, and its agents stay known", async () => {
    await using own = await openTestDatabase(inject("postgresUrl"));
    database = own;
    const first = await startServer(dataDir);
    const client = await logInAsAdmin(first.accessUrl);
    const template_id = await pushTemplate(client, "mine", template);
    const body = { name: "dev", template_id };
    const { id } = await client.call(createWorkspace, { params: { user: "me" }, body });
    await waitForWorkspace(client, id, (workspace) => firstAgent(workspace) !== undefined);
    const token = await readAgentToken(client, id);
    const readGitKey = (url: string): Promise<Response> =>
      fetch(`${url}/api/v2/workspaceagents/me/gitsshkey`, {
        headers: { "Coder-Session-Token": token },
      });
    const before = await (await readGitKey(first.accessUrl)).text();
    await first.close();
    await rm(keyFile(dataDir));
    expect(await rotate(false)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/missing/),
    });
    await expect(readFile(keyFile(dataDir))).rejects.toThrow("ENOENT");
    expect(await rotate(true)).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/discarded/),
    });
    await using second = await startServer(dataDir);
    const response = await readGitKey(second.accessUrl);
    expect(response.status).toBe(200);
    expect(await response.text()).not.toBe(before);
    const again = await logInAsAdmin(second.accessUrl);
    await expect(readAgentToken(again, id)).rejects.toThrow("cannot be decrypted");
    for (const transition of ["stop", "start"] as const) {
      await again.call(createBuild, { params: { workspace: id }, body: { transition } });
      await waitForWorkspace(again, id, ({ latest_build: build }) =>
        ["stopped", "running"].includes(build.status),
      );
    }
    expect(await readAgentToken(again, id)).not.toBe(token);
  });
});
