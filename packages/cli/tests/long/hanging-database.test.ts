import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  openTestDatabase,
  postgresTarget,
  postgresUrlAt,
  startServerProcess,
  TcpProxy,
} from "@slipway/testkit";
import { expect, inject, it } from "vitest";

it("ends a server at the second signal although its database hangs", async () => {
  await using opened = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-hanging-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const { url } = opened.use(await openTestDatabase(inject("postgresUrl")));
  const proxy = opened.use(await TcpProxy.open(() => [postgresTarget(url)]));
  const environment = { SLIPWAY_POSTGRES_URL: postgresUrlAt(url, proxy.port) };
  const server = await startServerProcess({ dataDir, port: 0, environment });
  opened.defer(() => server.end("SIGKILL"));
  for (const link of proxy.links) link.stall();

  process.kill(server.pid, "SIGTERM");
  await expect.poll(() => server.output()).toContain("stopping the server");
  process.kill(server.pid, "SIGTERM");
  expect(await server.exited).toEqual([1, null]);
  expect(server.output()).toContain("stopped before everything had ended");
});
