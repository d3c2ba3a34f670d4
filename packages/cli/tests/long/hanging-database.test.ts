import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  openTestDatabase,
  postgresTarget,
  postgresUrlAt,
  type ServerProcess,
  startServerProcess,
  TcpProxy,
} from "@slipway/testkit";
import { expect, inject, it, onTestFinished } from "vitest";

/** Starts a server whose database hangs from then on. */
async function startHangingServer(): Promise<ServerProcess> {
  const opened = new AsyncDisposableStack();
  onTestFinished(() => opened.disposeAsync());
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-hanging-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const { url } = opened.use(await openTestDatabase(inject("postgresUrl")));
  const proxy = opened.use(await TcpProxy.open(() => [postgresTarget(url)]));
  const environment = { SLIPWAY_POSTGRES_URL: postgresUrlAt(url, proxy.port) };
  const server = await startServerProcess({ dataDir, port: 0, environment });
  opened.defer(() => server.end("SIGKILL"));
  for (const link of proxy.links) link.stall();
  return server;
}

it("ends a server although its database hangs", { timeout: 15_000 }, async () => {
  const server = await startHangingServer();
  process.kill(server.pid, "SIGTERM");
  expect(await server.exited).toEqual([0, null]);
  const lines = server.output().split("stopping the server…")[1]?.trim().split("\n") ?? [];
  expect(lines.filter((line) => line.includes("database does not answer"))).toHaveLength(1);
});

it("ends a server at the second signal although its database hangs", async () => {
  const server = await startHangingServer();
  process.kill(server.pid, "SIGTERM");
  await expect.poll(() => server.output()).toContain("stopping the server");
  process.kill(server.pid, "SIGTERM");
  expect(await server.exited).toEqual([1, null]);
  expect(server.output()).toContain("stopped before everything had ended");
});
