import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ApiClient } from "@slipway/sdk/http";
import { logInAsAdmin, startServerProcess, unlimitedWorkspaces } from "@slipway/testkit";

import { type FleetAgent, makeFleet, makeWorkspaces } from "./external-fleet.ts";
import { openPlainFetch } from "./plain-fetch.ts";
import { findStockServer } from "./stock-server.ts";

/** A server that is measured. */
export interface BenchServer {
  readonly name: "ours" | "stock";
  /** A client with the session of an owner. */
  readonly client: ApiClient;
  /** Makes running workspaces; resolves to their agents, each with a token of its own. */
  readonly makeAgents: (count: number) => Promise<readonly FleetAgent[]>;
  /** Makes running workspaces whose agents stay offline. */
  readonly makeWorkspaces: (count: number) => Promise<void>;
}

/** Starts a server of ours on an empty directory, and finds the stock one that the environment names. */
export async function openBenchServers(
  opened: AsyncDisposableStack,
): Promise<readonly BenchServer[]> {
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-bench-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const server = opened.use(
    await startServerProcess({ dataDir, port: 0, environment: unlimitedWorkspaces }),
  );
  const { headers } = await logInAsAdmin(server.url);
  const client = new ApiClient({ serverUrl: server.url, headers, fetch: openPlainFetch() });
  const ours: BenchServer = {
    name: "ours",
    client,
    makeAgents: (count) => makeFleet(client, count),
    makeWorkspaces: (count) => makeWorkspaces(client, count),
  };
  const stock = findStockServer();
  return stock === undefined ? [ours] : [ours, { name: "stock", ...stock }];
}
