import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { listAuditLogs } from "@slipway/api/audit/routes";
import { createUser, getUser } from "@slipway/api/users/routes";
import {
  logIn,
  logInAsAdmin,
  openTestDatabase,
  startServerProcess,
  testAdmin,
} from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { ensureAdmin } from "../src/features/users/admin-service.ts";
import { runResetPassword } from "../src/main/reset-password.ts";

const opened = new AsyncDisposableStack();
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "slipway-test-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
});

afterAll(() => opened.disposeAsync());

interface Reset {
  readonly user?: string;
  readonly password?: string;
  readonly flags?: Readonly<Record<string, string>>;
}

async function reset({ user, password, flags }: Reset = {}) {
  const texts = { out: "", err: "" };
  const code = await runResetPassword({
    flags: { SLIPWAY_DATA_DIR: dataDir, ...flags },
    environment: {},
    user,
    password,
    stdout: (text) => (texts.out += text),
    stderr: (text) => (texts.err += text),
    signal: new AbortController().signal,
  });
  return { code, ...texts };
}

const { email } = testAdmin;

it("a directory without a database stays as it is", async () => {
  const { code, err } = await reset();
  expect({ code, err }).toEqual({
    code: 1,
    err: `error: there is no database in ${dataDir}; name the server's by SLIPWAY_DATA_DIR or SLIPWAY_POSTGRES_URL\n`,
  });
  expect(await readdir(dataDir)).toEqual([]);
});

it("while the server runs, the new password works, and what was open before is closed", async () => {
  await using server = await startServerProcess({ dataDir, port: 0 });
  const before = await logInAsAdmin(server.url);
  const { code, out, err } = await reset();
  expect(code).toBe(0);
  expect(err).toContain(`new password of admin, shown this once; log in as ${email}`);
  await expect(before.call(getUser, { params: { user: "me" } })).rejects.toMatchObject({
    status: 401,
  });
  await expect(logInAsAdmin(server.url)).rejects.toMatchObject({ status: 401 });
  const admin = await logIn(server.url, { email, password: out.trim() });
  const { audit_logs: entries } = await admin.call(listAuditLogs, {
    query: { q: "resource_type:user action:write" },
  });
  expect(entries).toMatchObject([
    {
      resource_target: "admin",
      user: null,
      diff: { password: { old: "", new: "", secret: true } },
    },
  ]);
  expect(JSON.stringify(entries)).not.toContain(out.trim());

  const body = { username: "ada", email: "ada@example.com", password: testAdmin.password };
  await admin.call(createUser, { body });
  const password = "another-horse-battery-43";
  expect(await reset({ user: "ADA@example.com", password })).toMatchObject({
    code: 0,
    out: "",
    err: expect.stringContaining("password of ada changed"),
  });
  await logIn(server.url, { email: "ada@example.com", password });
  expect(await reset({ user: "bob" })).toMatchObject({
    code: 1,
    err: 'error: There is no user "bob".\n',
  });
  expect(await reset({ password: "short" })).toMatchObject({
    code: 1,
    err: expect.stringContaining("password is too easy to guess"),
  });
});

it("while the server is stopped too", async () => {
  const { code, out } = await reset({ user: "admin" });
  expect(code).toBe(0);
  await using server = await startServerProcess({ dataDir, port: 0 });
  await logIn(server.url, { email, password: out.trim() });
});

it("in a PostgreSQL of one's own, before the first password was shown", async () => {
  await using database = await openTestDatabase(inject("postgresUrl"));
  const flags = { SLIPWAY_POSTGRES_URL: database.url };
  expect(await reset({ flags })).toMatchObject({
    code: 1,
    err: "error: There is no owner yet. Start the server once to create one.\n",
  });
  await ensureAdmin(database.db, { username: "root", email, password: undefined });
  const { code, out } = await reset({ flags });
  expect(code).toBe(0);
  const environment = { ...flags, SLIPWAY_ADMIN_PASSWORD: "" };
  const directory = join(dataDir, "replica");
  await using server = await startServerProcess({ dataDir: directory, port: 0, environment });
  expect(server.output()).not.toContain("shown this once");
  await logIn(server.url, { email, password: out.trim() });
});
