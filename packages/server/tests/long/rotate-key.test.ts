import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createWorkspace } from "@slipway/api/workspaces/routes";
import {
  firstAgent,
  logInAsAdmin,
  openTestDatabase,
  pushTemplate,
  readAgentToken,
  type ServerProcess,
  startServerProcess,
  type TestDatabase,
  waitForWorkspace,
} from "@slipway/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { runRotateKey } from "../../src/main/rotate-key.ts";
import { rotateSecrets, type RotationProgress } from "../../src/platform/auth/rotate-secrets.ts";
import { sealedColumns } from "../../src/platform/auth/sealed-columns.ts";
import { SecretBox } from "../../src/platform/auth/secret-box.ts";
import { seedAgent, seedBuild, seedWorkspace } from "../support/rows.ts";

const opened = new AsyncDisposableStack();
const keep = { discardsUnreadable: false } as const;

afterAll(() => opened.disposeAsync());

describe("rotateSecrets", () => {
  const [oldKey, newKey] = ["the old key", "the new key"];
  const tokens = Array.from({ length: 1200 }, () => randomUUID());
  let database: TestDatabase;

  beforeAll(async () => {
    database = opened.use(await openTestDatabase(inject("postgresUrl")));
    const { db } = database;
    const place = await seedWorkspace(db);
    const build = await seedBuild(db, place, { number: 1, transition: "start", job: "succeeded" });
    const first = await seedAgent(db, build);
    const box = new SecretBox([oldKey]);
    // Copies of one agent, each with its own token.
    await sql`
      insert into workspace_agents (id, resource_id, workspace_build_id, name, auth_token_hash,
        auth_token_encrypted, architecture, operating_system)
      select gen_random_uuid(), resource_id, workspace_build_id, 'a' || t.n, sha256(t.sealed), t.sealed,
        architecture, operating_system
      from workspace_agents,
        unnest(${tokens.map((token) => box.seal(token))}::bytea[]) with ordinality as t (sealed, n)
      where id = ${first}`.execute(db);
    await db.deleteFrom("workspace_agents").where("id", "=", first).execute();
  });

  async function rotate(keys: readonly [string, ...string[]]): Promise<RotationProgress[]> {
    const signal = new AbortController().signal;
    return Array.fromAsync(rotateSecrets(database.db, new SecretBox(keys), keep, signal));
  }

  async function sealedTokens(): Promise<Buffer[]> {
    const rows = await database.db
      .selectFrom("workspace_agents")
      .select("auth_token_encrypted")
      .execute();
    return rows.map((row) => row.auth_token_encrypted);
  }

  it("knows every sealed column of the database", async () => {
    const { rows } = await sql<{ place: string }>`
      select table_name || '.' || column_name as place from information_schema.columns
      where table_schema = 'public' and column_name like '%\\_encrypted'`.execute(database.db);
    const listed = sealedColumns.map(({ table, column }) => `${table}.${column}`);
    expect(rows.map(({ place }) => place).toSorted()).toEqual(listed.toSorted());
  });

  it("leaves alone what no key opens, and tells how many", async () => {
    expect((await rotate([newKey]))[0]).toMatchObject({ rotated: 0, unreadable: 500 });
    expect(new SecretBox([oldKey]).open((await sealedTokens())[0] ?? Buffer.of())).toMatch(/-/);
  });

  it("goes on with what is left when it was interrupted", async () => {
    const stop = new AbortController();
    const rotation = rotateSecrets(database.db, new SecretBox([newKey, oldKey]), keep, stop.signal);
    expect((await rotation.next()).value).toEqual({
      table: "workspace_agents",
      rotated: 500,
      unreadable: 0,
    });
    stop.abort();
    await expect(rotation.next()).rejects.toThrow("aborted");
    const progress = await rotate([newKey, oldKey]);
    expect(progress.findLast(({ table }) => table === "workspace_agents")?.rotated).toBe(700);
    const box = new SecretBox([newKey]);
    const found = (await sealedTokens()).map((sealed) => box.open(sealed));
    expect(found.toSorted()).toEqual(tokens.toSorted());
  });

  it("has nothing to do twice", async () => {
    const progress = await rotate([newKey, oldKey]);
    expect(new Set(progress.map(({ rotated }) => rotated))).toEqual(new Set([0]));
  });
});

describe("slipway server rotate-key", () => {
  const template = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";
  let dataDir: string;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "slipway-test-"));
    opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  });

  async function runCommand(
    variables: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly code: number; readonly stderr: string }> {
    let stderr = "";
    const code = await runRotateKey({
      flags: { SLIPWAY_DATA_DIR: dataDir, ...variables },
      environment: {},
      discardsUnreadable: false,
      stderr: (text) => (stderr += text),
      signal: new AbortController().signal,
    });
    return { code, stderr };
  }

  const keyFile = (): string => join(dataDir, "secret-key");
  const readKeys = async (): Promise<string[]> =>
    (await readFile(keyFile(), "utf8")).trim().split("\n");

  interface Secrets {
    readonly agentToken: string;
    /** The key pair that the agent gets. */
    readonly gitKey: unknown;
  }

  async function readSecrets(server: ServerProcess): Promise<Secrets> {
    const client = await logInAsAdmin(server.url);
    const agentToken = await readAgentToken(client, workspaceId);
    const response = await fetch(`${server.url}/api/v2/workspaceagents/me/gitsshkey`, {
      headers: { "Coder-Session-Token": agentToken },
    });
    expect(response.status).toBe(200);
    return { agentToken, gitKey: await response.json() };
  }

  let workspaceId = "";
  let before: Secrets;

  it("waits for the server to be stopped", async () => {
    await using server = await startServerProcess({ dataDir, port: 0 });
    const client = await logInAsAdmin(server.url);
    const templateId = await pushTemplate(client, "mine", template);
    const body = { name: "dev", template_id: templateId };
    const { id } = await client.call(createWorkspace, { params: { user: "me" }, body });
    await waitForWorkspace(client, id, (workspace) => firstAgent(workspace) !== undefined);
    workspaceId = id;
    before = await readSecrets(server);
    expect(await runCommand()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("another server uses the data directory"),
    });
  });

  it("makes a new key, and everything opens with it alone", async () => {
    const [old] = await readKeys();
    expect(await runCommand()).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^workspace_agents: 1 secrets\n[^]*the one before is gone\n$/),
    });
    const keys = await readKeys();
    expect(keys).toHaveLength(1);
    expect(keys).not.toContain(old);
    await using server = await startServerProcess({ dataDir, port: 0 });
    expect(await readSecrets(server)).toEqual(before);
  });

  it("goes on with the key that an interrupted one made, under which a server runs too", async () => {
    const [old = ""] = await readKeys();
    const made = "made-by-a-rotation-that-was-interrupted";
    await writeFile(keyFile(), `${made}\n${old}\n`);
    await using server = await startServerProcess({ dataDir, port: 0 });
    expect(await readSecrets(server)).toEqual(before);
    await server.end("SIGTERM");
    expect(await runCommand()).toMatchObject({ code: 0 });
    expect(await readKeys()).toEqual([made]);
  });

  it("goes over to configured keys", async () => {
    const [own = ""] = await readKeys();
    const configured = "a-key-from-the-configuration-of-32-characters";
    const keys = { SLIPWAY_SECRET_KEY: `${configured},${own}` };
    expect(await runCommand({ SLIPWAY_SECRET_KEY: configured })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("sealed with a key that is not known here"),
    });
    expect(await runCommand(keys)).toMatchObject({ code: 0 });
    const environment = { SLIPWAY_SECRET_KEY: configured };
    await using server = await startServerProcess({ dataDir, port: 0, environment });
    expect(await readSecrets(server)).toEqual(before);
  });
});
