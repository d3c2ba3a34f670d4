import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  logInAsAdmin,
  pushTemplate,
  type ServerProcess,
  startServerProcess,
} from "@slipway/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";

import { makeExternalWorkspace } from "./support/external-workspace.ts";
import { runStockAgent } from "./support/run-stock-agent.ts";
import { type StockProgram, stockPrograms } from "./support/stock-program.ts";

/*
 * Stock agents, whose programs the environment names with `:` between them, use our relay as their home and return to
 * it after a restart. `vitest.config.ts` leaves this file out, and says so, where SLIPWAY_STOCK_AGENT is not set.
 */

const template = `
driver: external
agents:
  main: { os: linux, arch: amd64 }
`;

const opened = new AsyncDisposableStack();
let directory = "";
let server: ServerProcess;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-relay-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  server = await startServerProcess({ dataDir: directory, port: 0 });
  opened.defer(() => server.end("SIGINT"));
});

afterAll(() => opened.disposeAsync());

it.each(stockPrograms("SLIPWAY_STOCK_AGENT").map((one) => [one.name, one] as const))(
  "%s is connected to the relay, and again after a restart",
  async (name, { path }: StockProgram) => {
    const client = await logInAsAdmin(server.url);
    const templateId = await pushTemplate(client, `relay-${Date.now()}`, template);
    const { token } = await makeExternalWorkspace(client, templateId, name);
    const home = join(directory, name);
    const agent = await runStockAgent({ program: path, serverUrl: server.url, token, home });
    await expect.poll(relayClients, { timeout: 30_000 }).toBe(1);
    const { port } = new URL(server.url);
    await server.end("SIGTERM");
    server = await startServerProcess({ dataDir: directory, port: Number(port) });
    await expect.poll(relayClients, { timeout: 60_000 }).toBe(1);
    agent.kill("SIGKILL");
    await expect.poll(relayClients, { timeout: 30_000 }).toBe(0);
  },
);

/** Returns the number of the relay's clients, according to the metrics. */
async function relayClients(): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^slipway_relay_clients (\d+)/m.exec(text)?.[1]);
}
