import { mkdtemp, rm } from "node:fs/promises";
import { Agent, get, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { openTestDatabase, type ServerProcess, startServerProcess } from "@slipway/testkit";
import { expect, inject, it } from "vitest";

/* The end of a server behind a proxy, which has to notice before it sends requests elsewhere. */

async function openDraining(opened: AsyncDisposableStack, seconds: number): Promise<ServerProcess> {
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-test-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const database = opened.use(await openTestDatabase(inject("postgresUrl")));
  return opened.use(
    await startServerProcess({
      dataDir,
      port: 0,
      environment: {
        SLIPWAY_POSTGRES_URL: database.url,
        SLIPWAY_MAX_DRAIN_SECONDS: String(seconds),
      },
    }),
  );
}

interface Answer {
  readonly status: number | undefined;
  readonly connection: string | undefined;
  readonly body: string;
}

async function ask(url: string, agent: Agent): Promise<Answer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { agent }, resolve).on("error", reject);
  });
  const { statusCode: status, headers } = response;
  return { status, connection: headers.connection, body: await text(response) };
}

it("answers after SIGTERM, ends each connection, fails its health check, and ends at a second signal", async () => {
  await using opened = new AsyncDisposableStack();
  const server = await openDraining(opened, 3_600);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  opened.defer(() => agent.destroy());
  const version = `${server.url}/api/v2/buildinfo`;
  expect(await ask(version, agent)).toMatchObject({ status: 200, connection: "keep-alive" });
  expect(await ask(`${server.url}/healthz`, agent)).toMatchObject({ status: 200, body: "OK" });
  process.kill(server.pid, "SIGTERM");
  await expect
    .poll(() => ask(`${server.url}/healthz`, agent))
    .toMatchObject({
      status: 503,
      connection: "close",
      body: expect.stringContaining("This server is about to stop."),
    });
  expect(await ask(version, agent)).toMatchObject({ status: 200, connection: "close" });
  await server.end("SIGTERM");
  expect(server.output()).toContain("stopped before everything had ended");
});

it("ends by itself when the time is over", async () => {
  await using opened = new AsyncDisposableStack();
  const server = await openDraining(opened, 1);
  await server.end("SIGTERM");
  expect(await server.exited).toEqual([0, null]);
});

it("ends at once after Ctrl-C", async () => {
  await using opened = new AsyncDisposableStack();
  const server = await openDraining(opened, 3_600);
  await server.end("SIGINT");
  expect(await server.exited).toEqual([0, null]);
});
