import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openTestDatabase, startServerProcess, TcpProxy } from "@slipway/testkit";
import { expect, inject, it } from "vitest";

it("ends a server at the second signal although its database hangs", async () => {
  await using opened = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-hanging-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const url = new URL(opened.use(await openTestDatabase(inject("postgresUrl"))).url);
  const { searchParams } = url;
  const [socketDirectory, port] = [searchParams.get("host"), searchParams.get("port") ?? url.port];
  const target =
    socketDirectory === null
      ? { port: Number(port || 5432) }
      : { path: join(socketDirectory, `.s.PGSQL.${port || 5432}`) };
  const proxy = opened.use(await TcpProxy.open(() => [target]));
  for (const name of ["host", "port"]) searchParams.delete(name);
  url.host = `127.0.0.1:${proxy.port}`;
  const environment = { SLIPWAY_POSTGRES_URL: url.href };
  const server = await startServerProcess({ dataDir, port: 0, environment });
  opened.defer(() => server.end("SIGKILL"));
  for (const link of proxy.links) link.stall();

  process.kill(server.pid, "SIGTERM");
  await expect.poll(() => server.output()).toContain("stopping the server");
  process.kill(server.pid, "SIGTERM");
  expect(await server.exited).toEqual([1, null]);
  expect(server.output()).toContain("stopped before everything had ended");
});
