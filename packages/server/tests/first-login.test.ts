import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer as createListener } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { silentLogger } from "@slipway/runtime";
import { openTestDatabase } from "@slipway/testkit";
import { expect, inject, test } from "vitest";

import { readSettings } from "../src/config/settings.ts";
import { createServer } from "../src/main/server.ts";
import { ensureAdmin } from "../src/users/admin-service.ts";

async function freePort(): Promise<number> {
  const listener = createListener().listen(0, "127.0.0.1");
  await once(listener, "listening");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, "close");
  return port;
}

test("nobody is answered before the administrator can log in", async () => {
  await using opened = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-test-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const { url: postgresUrl } = opened.use(await openTestDatabase(inject("postgresUrl")));
  const address = `127.0.0.1:${await freePort()}`;
  const settings = readSettings(
    {
      SLIPWAY_HTTP_ADDRESS: address,
      SLIPWAY_DATA_DIR: dataDir,
      SLIPWAY_POSTGRES_URL: postgresUrl,
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
  const answer = await fetch(`http://${address}/api/v2/users/login`, {
    method: "POST",
    body: JSON.stringify({ email: "admin@localhost", password: "correct-horse-battery-42" }),
  });
  expect(answer.status).toBe(201);
});
