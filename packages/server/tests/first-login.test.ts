import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer as createListener } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { silentLogger } from "@slipway/runtime";
import { openTestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { expect, inject, it, vi } from "vitest";

import { ensureAdmin } from "../src/features/users/admin-service.ts";
import { runServer } from "../src/main/run-server.ts";
import { createServer } from "../src/main/server.ts";
import { readSettings } from "../src/platform/config/settings.ts";
import type { Database } from "../src/platform/db/database.ts";

async function freePort(): Promise<number> {
  const listener = createListener().listen(0, "127.0.0.1");
  await once(listener, "listening");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, "close");
  return port;
}

const email = "admin@localhost";

async function logInStatus(url: string, password: string): Promise<number> {
  const body = JSON.stringify({ email, password });
  return (await fetch(`${url}/api/v2/users/login`, { method: "POST", body })).status;
}

async function openPlace(opened: AsyncDisposableStack) {
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-test-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const { url: postgresUrl, db } = opened.use(await openTestDatabase(inject("postgresUrl")));
  const source = { SLIPWAY_DATA_DIR: dataDir, SLIPWAY_POSTGRES_URL: postgresUrl };
  return { source, db };
}

async function countOwners(db: Database): Promise<number> {
  return (await sql`select from users where roles = '{owner}'`.execute(db)).rows.length;
}

/** Starts a complete run of the program, which `end` ends. */
function run(source: Readonly<Record<string, string>>, demo = false) {
  const interrupted = Promise.withResolvers<"SIGINT">();
  const texts = { out: "", err: "" };
  const code = runServer({
    flags: source,
    environment: { SLIPWAY_LOG_LEVEL: "error" },
    demo,
    agentCommand: ["false"],
    installCommand: "npm install --global packages/cli",
    stdout: (text) => void (texts.out += text),
    stderr: (text) => void (texts.err += text),
    interrupted: interrupted.promise,
    forced: new AbortController().signal,
  });
  return { code, texts, end: () => interrupted.resolve("SIGINT") };
}

const readPassword = (text: string): string | undefined =>
  / with the password (\S+) \(shown this once\)/.exec(text)?.[1];

/** Runs it until it reports that it is running, and tries a password there. */
async function runAndLogIn(source: Readonly<Record<string, string>>, password?: string) {
  const port = await freePort();
  const server = run({ ...source, SLIPWAY_HTTP_ADDRESS: `127.0.0.1:${port}` });
  await vi.waitFor(() => expect(server.texts.out).toContain("Slipway is running"), 20_000);
  const text = server.texts.out;
  const url = `http://127.0.0.1:${port}`;
  const status = await logInStatus(url, password ?? readPassword(text) ?? "none was shown");
  server.end();
  expect(await server.code).toBe(0);
  return { text, status };
}

it("nobody is answered before the administrator can log in", async () => {
  await using opened = new AsyncDisposableStack();
  const { source } = await openPlace(opened);
  const address = `127.0.0.1:${await freePort()}`;
  const settings = readSettings(
    {
      ...source,
      SLIPWAY_HTTP_ADDRESS: address,
      SLIPWAY_ADMIN_PASSWORD: "correct-horse-battery-42",
    },
    false,
  );
  const isPreparing = Promise.withResolvers<void>();
  const mayGoOn = Promise.withResolvers<void>();
  const starting = createServer({
    settings,
    agentCommand: ["false"],
    logger: silentLogger,
    signal: new AbortController().signal,
    beforeListening: async (db) => {
      isPreparing.resolve();
      await mayGoOn.promise;
      await ensureAdmin(db, settings.admin);
    },
  });
  await isPreparing.promise;
  await expect(fetch(`http://${address}/healthz`)).rejects.toThrow("fetch failed");
  mayGoOn.resolve();
  opened.use(await starting);
  expect(await logInStatus(`http://${address}`, "correct-horse-battery-42")).toBe(201);
});

it("a start that finds its port taken makes no administrator, and the next one shows a password", async () => {
  await using opened = new AsyncDisposableStack();
  const { source, db } = await openPlace(opened);
  const other = createListener().listen(0, "127.0.0.1");
  await once(other, "listening");
  opened.defer(() => void other.close());
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = other.address() as AddressInfo;
  const refused = run({ ...source, SLIPWAY_HTTP_ADDRESS: `127.0.0.1:${port}` });
  expect(await refused.code).toBe(1);
  expect(refused.texts).toEqual({
    out: "",
    err: `error: port ${port} is in use; choose another, such as SLIPWAY_HTTP_ADDRESS=127.0.0.1:${port < 65_535 ? port + 1 : 0}\n`,
  });
  expect(await countOwners(db)).toBe(0);
  expect(await runAndLogIn(source)).toMatchObject({ status: 201 });
});

it("a start that fails after the administrator was made leaves the password to the next one", async () => {
  await using opened = new AsyncDisposableStack();
  const { source, db } = await openPlace(opened);
  // The demonstration cannot start its agent and is not ready when it is interrupted.
  const ended = run({ ...source, SLIPWAY_HTTP_ADDRESS: "127.0.0.1:0" }, true);
  await vi.waitFor(async () => expect(await countOwners(db)).toBe(1), 20_000);
  ended.end();
  expect(await ended.code).toBe(0);
  expect(ended.texts.out).toBe("");
  const next = await runAndLogIn(source);
  expect(next.status).toBe(201);
  // Shown only once.
  const later = await runAndLogIn(source, readPassword(next.text));
  expect(later).toMatchObject({
    status: 201,
    text: expect.stringContaining("the password you have"),
  });
  expect(readPassword(later.text)).toBeUndefined();
});

it("a password that is configured after such a start is set, and none is made up", async () => {
  await using opened = new AsyncDisposableStack();
  const { source, db } = await openPlace(opened);
  await ensureAdmin(db, { username: "admin", email, password: undefined });
  const password = "correct-horse-battery-42";
  const configured = { ...source, SLIPWAY_ADMIN_PASSWORD: password };
  const { status, text } = await runAndLogIn(configured, password);
  expect({ status, shown: readPassword(text) }).toEqual({ status: 201, shown: undefined });
  expect(text).toContain("with the password you gave");
  const other = { ...source, SLIPWAY_ADMIN_PASSWORD: "another-horse-battery-42" };
  expect(await runAndLogIn(other, "another-horse-battery-42")).toMatchObject({ status: 401 });
});

it("no password fits an administrator who was shown none", async () => {
  await using opened = new AsyncDisposableStack();
  const { source, db } = await openPlace(opened);
  await ensureAdmin(db, { username: "admin", email, password: undefined });
  const settings = readSettings({ ...source, SLIPWAY_HTTP_ADDRESS: "127.0.0.1:0" }, false);
  const signal = new AbortController().signal;
  const options = { settings, agentCommand: ["false"], logger: silentLogger, signal };
  const server = opened.use(await createServer(options));
  for (const password of ["x", "scrypt", "$"])
    expect(await logInStatus(server.accessUrl, password)).toBe(401);
});

it("says which setting is no good for an administrator", async () => {
  await using opened = new AsyncDisposableStack();
  const { source } = await openPlace(opened);
  const refused = run({
    ...source,
    SLIPWAY_HTTP_ADDRESS: "127.0.0.1:0",
    SLIPWAY_ADMIN_PASSWORD: "secret",
  });
  expect(await refused.code).toBe(1);
  expect(refused.texts.err).toMatch(/^error: SLIPWAY_ADMIN_PASSWORD is too easy to guess/);
});
