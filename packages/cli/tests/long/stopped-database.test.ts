import { chmod, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type ServerProcess, startServerProcess } from "@slipway/testkit";
import { expect, it, onTestFinished } from "vitest";

/* A server's built-in PostgreSQL ends, alone or together with the server. */

async function makeDataDir(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-stopped-"));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  // PostgreSQL may run as a separate user.
  await chmod(dataDir, 0o711);
  return dataDir;
}

async function start(dataDir: string): Promise<ServerProcess> {
  const server = await startServerProcess({ dataDir, port: 0 });
  onTestFinished(() => server.end("SIGINT"));
  return server;
}

async function postmasterOf(dataDir: string): Promise<number> {
  const name = (await readdir(dataDir)).find((one) => one.startsWith("postgres-")) ?? "";
  const [pid] = (await readFile(join(dataDir, name, "postmaster.pid"), "utf8")).split("\n");
  return Number(pid);
}

it("names the signal that ended the database", async () => {
  const dataDir = await makeDataDir();
  const server = await start(dataDir);
  process.kill(await postmasterOf(dataDir), "SIGKILL");
  expect(await server.exited).toEqual([1, null]);
  expect(server.output()).toContain("error: the embedded PostgreSQL ended (SIGKILL)");
});

it("says that it does not know what ended a database that it has adopted", async () => {
  const dataDir = await makeDataDir();
  await (await start(dataDir)).end("SIGKILL");
  const server = await start(dataDir);
  process.kill(await postmasterOf(dataDir), "SIGKILL");
  expect(await server.exited).toEqual([1, null]);
  expect(server.output()).toContain("error: the embedded PostgreSQL ended (exit status unknown)");
});

it("does not take a database for failed that was stopped along with the server", async () => {
  const dataDir = await makeDataDir();
  const server = await start(dataDir);
  const postmaster = await postmasterOf(dataDir);
  process.kill(postmaster, "SIGINT");
  // Its parent reaps it when it has ended.
  await expect.poll(() => isThere(postmaster)).toBe(false);
  process.kill(server.pid, "SIGTERM");
  expect(await server.exited).toEqual([0, null]);
  expect(server.output()).not.toContain("error:");
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    // It has ended.
    return false;
  }
}
