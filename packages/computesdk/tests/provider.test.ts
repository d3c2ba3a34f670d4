import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Workspace } from "@slipway/sdk";
import { logInAsAdmin, openTestDatabase, pushTemplate, startServerProcess } from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { slipway } from "../src/index.ts";

/* The provider as ComputeSDK calls it, with workspaces of our driver for processes. */

const opened = new AsyncDisposableStack();
let provider: ReturnType<typeof slipway>;

beforeAll(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-computesdk-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const database = opened.use(await openTestDatabase(inject("postgresUrl")));
  const environment = {
    SLIPWAY_POSTGRES_URL: database.url,
    SLIPWAY_WILDCARD_ACCESS_URL: "*.apps.localhost",
  };
  const server = opened.use(await startServerProcess({ dataDir, port: 0, environment }));
  const admin = await logInAsAdmin(server.url);
  const template = "driver: process\nagents: { main: { os: linux, arch: amd64 } }\n";
  await pushTemplate(admin, "node", template);
  const token = admin.headers["Coder-Session-Token"] ?? "";
  provider = slipway({ url: server.url, token, template: "node" });
});
afterAll(() => opened.disposeAsync());

it("creates, finds, lists and destroys sandboxes", async () => {
  const sandbox = await provider.sandbox.create({ name: "first", timeout: 600_000 });
  const id = sandbox.sandboxId;
  expect(await sandbox.getInfo()).toMatchObject({
    id,
    provider: "slipway",
    status: "running",
    timeout: 600_000,
    metadata: { name: "first", owner: "admin", template: "node" },
  });
  const found = await provider.sandbox.getById(id);
  expect(found?.sandboxId).toBe(id);
  const workspace: Workspace | undefined = found?.getInstance();
  expect(workspace?.name).toBe("first");
  expect((await provider.sandbox.list()).map((one) => one.sandboxId)).toEqual([id]);
  await sandbox.destroy();
  await provider.sandbox.destroy(id);
  expect(await provider.sandbox.getById(id)).toBeNull();
  expect(await provider.sandbox.list()).toEqual([]);
});

it("runs commands, with their output as it comes, and uses files", async () => {
  const sandbox = await provider.sandbox.create({ envs: { WHO: "world" } });
  const result = await sandbox.runCommand("echo hello $WHO $MORE; echo oops >&2; exit 3", {
    env: { MORE: "and all" },
    cwd: "~",
  });
  expect(result).toMatchObject({ stdout: "hello world and all\n", stderr: "oops\n", exitCode: 3 });

  const pieces: string[] = [];
  const streamed = await sandbox.runCommand("echo out; read line; echo never", {
    onStdout: (text) => pieces.push(text),
    onStderr: (text) => pieces.push(`! ${text}`),
  });
  expect(pieces.join("")).toBe(streamed.stdout);
  const killed = await sandbox.runCommand("kill -KILL $$");
  expect(killed.exitCode).toBe(137);
  const slow = await sandbox.runCommand("sleep 60", { timeout: 100 });
  expect(slow.exitCode).toBe(124);
  const background = await sandbox.runCommand("sleep 60", { background: true });
  expect(background).toMatchObject({ stdout: "", exitCode: 0 });
  expect(background.durationMs).toBeLessThan(60_000);

  const { filesystem } = sandbox;
  await filesystem.mkdir("~/a/b");
  await filesystem.writeFile("~/a/new/file.txt", "content");
  expect(await filesystem.readFile("~/a/new/file.txt")).toBe("content");
  expect(await filesystem.readdir("~/a")).toMatchObject([
    { name: "b", type: "directory" },
    { name: "new", type: "directory" },
  ]);
  expect(await filesystem.readdir("~/a/new")).toMatchObject([
    { name: "file.txt", type: "file", size: 7, modified: expect.any(Date) },
  ]);
  await filesystem.remove("~/a");
  expect(await filesystem.exists("~/a")).toBe(false);
  await expect(filesystem.readFile("~/a/new/file.txt")).rejects.toThrow("No such file");

  expect(await sandbox.getUrl({ port: 3000 })).toMatch(/^http:\/\/3000--main--sandbox-/);
  expect(await sandbox.getUrl({ port: 3000, protocol: "wss" })).toMatch(/^wss:\/\/3000--/);
  await sandbox.destroy();
});

it("refuses what no workspace has, and cleans up what is given up", async () => {
  await expect(provider.sandbox.create({ image: "debian" })).rejects.toThrow("image");
  await expect(provider.sandbox.create({ templateId: "none" })).rejects.toThrow("none");
  await expect(provider.sandbox.create({ timeout: 1 })).rejects.toThrow("ttl_ms");
  const stop = new AbortController();
  const created = provider.sandbox.create({ signal: stop.signal });
  stop.abort();
  await expect(created).rejects.toThrow();
  await expect.poll(() => provider.sandbox.list()).toEqual([]);
});
