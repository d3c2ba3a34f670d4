import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { ApiClient } from "@slipway/sdk/http";
import {
  logInAsAdmin,
  makeWorkspace,
  openLocalServer,
  pushTemplate,
  startServerProcess,
} from "@slipway/testkit";
import { type Clouds, openClouds, openMachine } from "@slipway/testkit/clouds";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { untilConnected } from "./support/network/servers.ts";
import { runStockAgent } from "./support/run-stock-agent.ts";
import { stockPrograms } from "./support/stock-program.ts";

/*
 * Stock agents without a token, identified by their machine. They request its identity at a link-local address, for
 * which a proxy answers here. `vitest.config.ts` leaves this file out, and says so, where SLIPWAY_STOCK_AGENT is not
 * set.
 */

const names = ["aws", "azure", "google"] as const;

const templateOf = (cloud: string, instance: string): string => `
driver: external
agents:
  main: { os: linux, arch: amd64, auth: ${cloud}-instance-identity, instance_id: "${instance}" }
`;

const opened = new AsyncDisposableStack();
let homes = "";
let clouds: Clouds;
let serverUrl = "";
let client: ApiClient;

beforeAll(async () => {
  homes = await mkdtemp(join(tmpdir(), "slipway-machines-"));
  opened.defer(() => rm(homes, { recursive: true, force: true }));
  clouds = opened.use(await openClouds());
  const server = await startServerProcess({
    dataDir: homes,
    port: 0,
    environment: clouds.environment,
  });
  opened.defer(() => server.end("SIGINT"));
  serverUrl = server.url;
  client = await logInAsAdmin(serverUrl);
});
afterAll(() => opened.disposeAsync());

/** Opens a proxy that sends each request to a metadata service, whatever host it names. */
async function openProxy(metadataUrl: string) {
  return openLocalServer(
    createServer((request, response) => {
      const { pathname, search } = new URL(request.url ?? "", metadataUrl);
      const headers = new Headers();
      for (const [name, value] of Object.entries(request.headers)) {
        if (typeof value === "string" && name !== "host") headers.set(name, value);
      }
      const { method = "GET" } = request;
      void fetch(`${metadataUrl}${pathname}${search}`, { method, headers }).then(
        async (answer) => response.writeHead(answer.status).end(await answer.text()),
        () => response.destroy(),
      );
    }),
  );
}

describe.each(names)("a machine of %s", (cloud) => {
  const agents = stockPrograms("SLIPWAY_STOCK_AGENT").map((one) => [one.name, one] as const);
  it.each(agents)("lets %s in, which has no token", async (name, { path: program }) => {
    const own = `${cloud}-${name}`.replaceAll(/[^a-z0-9]+/g, "-");
    const templateId = await pushTemplate(client, own, templateOf(cloud, own));
    const { id } = await makeWorkspace(client, own, templateId, () => true);
    await using machine = await openMachine(clouds, cloud, own);
    const { CODER_AGENT_AUTH: auth = "", ...found } = machine.environment;
    const [address = ""] = Object.values(found);
    const metadataUrl = address.startsWith("http") ? address : `http://${address}`;
    await using proxy = await openProxy(metadataUrl);
    const environment = { ...machine.environment, CODER_AGENT_AUTH: auth, HTTP_PROXY: proxy.url };
    const home = join(homes, own);
    const agent = await runStockAgent({ program, serverUrl, token: undefined, home, environment });
    const exited = once(agent, "exit");
    try {
      await untilConnected(client, id);
      expect(machine.asked()).toBeGreaterThan(0);
    } finally {
      agent.kill("SIGKILL");
      await exited;
    }
  });
});
