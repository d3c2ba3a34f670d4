import type { ChildProcess } from "node:child_process";
import { join } from "node:path";

import type { ApiClient } from "@slipway/sdk/http";
import {
  logInAsAdmin,
  pushTemplate,
  requireAgent,
  startAgentProcess,
  startServerProcess,
  waitForWorkspace,
} from "@slipway/testkit";

import { makeExternalWorkspace } from "../../interop/support/external-workspace.ts";
import { runStockAgent } from "../../interop/support/run-stock-agent.ts";
import { stockPrograms } from "../../interop/support/stock-program.ts";
import { findStockServer } from "./stock-server.ts";

const template = `
driver: external
agents:
  main: { os: linux, arch: amd64 }
`;

/** A server and one of its agents. */
export interface AccessPair {
  readonly name: string;
  readonly client: ApiClient;
  readonly workspace: string;
  readonly agentId: string;
  readonly serverPid: number | undefined;
  readonly agentPid: number;
}

/** Opens our server with our agent and the stock ones that the environment names, and the stock server with the first of them. */
export async function openPairs(
  opened: AsyncDisposableStack,
  directory: string,
): Promise<readonly AccessPair[]> {
  const ours = await openOurPairs(opened, directory);
  return [...ours, ...(await openStockPair(opened, directory))];
}

/** Waits for the agent of a workspace, and returns its id. */
async function connectedAgent(client: ApiClient, workspaceId: string): Promise<string> {
  const workspace = await waitForWorkspace(client, workspaceId, (one) => {
    return requireAgent(one).status === "connected";
  });
  return requireAgent(workspace).id;
}

const startOurs: StartedAgent["start"] = (place) => startAgentProcess(place);

interface StartedAgent {
  readonly name: string;
  readonly start: (place: Parameters<typeof startAgentProcess>[0]) => Promise<ChildProcess>;
}

const stockAgents: readonly StartedAgent[] = stockPrograms("SLIPWAY_STOCK_AGENT").map(
  ({ name, path: program }) => ({
    name,
    start: (place) => runStockAgent({ ...place, program }),
  }),
);

async function openOurPairs(
  opened: AsyncDisposableStack,
  directory: string,
): Promise<readonly AccessPair[]> {
  const environment = { SLIPWAY_MAX_TERMINALS_PER_USER: "1000" };
  const server = await startServerProcess({ dataDir: directory, port: 0, environment });
  opened.defer(() => server.end("SIGINT"));
  const client = await logInAsAdmin(server.url);
  const templateId = await pushTemplate(client, "access", template);
  const pairs: AccessPair[] = [];
  for (const { name, start } of [{ name: "ours", start: startOurs }, ...stockAgents]) {
    const made = await makeExternalWorkspace(client, templateId, name);
    const place = { serverUrl: server.url, token: made.token, home: join(directory, made.name) };
    const agent = await start(place);
    opened.defer(() => void agent.kill("SIGKILL"));
    pairs.push({
      name: name === "ours" ? "ours" : `our server, ${name}`,
      client,
      workspace: made.name,
      agentId: await connectedAgent(client, made.id),
      serverPid: server.pid,
      agentPid: agent.pid ?? 0,
    });
  }
  return pairs;
}

async function openStockPair(
  opened: AsyncDisposableStack,
  directory: string,
): Promise<readonly AccessPair[]> {
  const stock = findStockServer();
  const [first] = stockAgents;
  if (stock === undefined || first === undefined) return [];
  const [made] = await stock.makeAgents(1);
  if (made === undefined) return [];
  const { client, pid: serverPid } = stock;
  const place = { serverUrl: client.serverUrl, token: made.token, home: join(directory, "stock") };
  const agent = await first.start(place);
  opened.defer(() => void agent.kill("SIGKILL"));
  const agentId = await connectedAgent(client, made.workspaceId);
  const { name } = await waitForWorkspace(client, made.workspaceId, () => true);
  return [{ name: "stock", client, workspace: name, agentId, serverPid, agentPid: agent.pid ?? 0 }];
}
