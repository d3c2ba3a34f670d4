import { join } from "node:path";

import type { ApiClient } from "@slipway/sdk/http";
import { waitForWorkspace } from "@slipway/testkit";

import { runStockAgent } from "../../interop/support/run-stock-agent.ts";
import { stockPrograms } from "../../interop/support/stock-program.ts";
import { connectedAgent, openNetworkWorld } from "./network-world.ts";
import { openDirectory } from "./our-server.ts";
import { findStockServer } from "./stock-server.ts";

/** A server and one of its agents. */
export interface AccessPair {
  readonly name: string;
  readonly client: ApiClient;
  readonly workspace: string;
  readonly agentId: string;
  readonly serverPid: number | undefined;
  readonly agentPid: number;
}

/**
 * Opens our server with our agent and the stock ones that the environment names, and the stock server with the first
 * of them.
 */
export async function openPairs(opened: AsyncDisposableStack): Promise<readonly AccessPair[]> {
  const environment = { SLIPWAY_MAX_TERMINALS_PER_USER: "1000" };
  const world = await openNetworkWorld(opened, { environment });
  const { server, client } = world;
  const pairs: AccessPair[] = [];
  const stockAgents = stockPrograms("SLIPWAY_STOCK_AGENT");
  for (const { name, path } of [{ name: "ours", path: undefined }, ...stockAgents]) {
    const { workspace, workspaceId, pid } = await world.openAgent(name, path);
    pairs.push({
      name: path === undefined ? name : `our server, ${name}`,
      client,
      workspace,
      agentId: await connectedAgent(client, workspaceId),
      serverPid: server.pid,
      agentPid: pid,
    });
  }
  return [...pairs, ...(await openStockPair(opened, stockAgents[0]?.path))];
}

async function openStockPair(
  opened: AsyncDisposableStack,
  program: string | undefined,
): Promise<readonly AccessPair[]> {
  const stock = findStockServer();
  if (stock === undefined || program === undefined) return [];
  const [made] = await stock.makeAgents(1);
  if (made === undefined) return [];
  const { client, pid: serverPid } = stock;
  const { token, workspaceId } = made;
  const home = join(await openDirectory(opened), "stock");
  const agent = await runStockAgent({ serverUrl: client.serverUrl, token, home, program });
  opened.defer(() => void agent.kill("SIGKILL"));
  const agentId = await connectedAgent(client, workspaceId);
  const { name } = await waitForWorkspace(client, workspaceId, () => true);
  return [{ name: "stock", client, workspace: name, agentId, serverPid, agentPid: agent.pid ?? 0 }];
}
