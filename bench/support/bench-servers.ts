import { ApiClient } from "@slipway/sdk/http";
import { unlimitedWorkspaces } from "@slipway/testkit";

import { type FleetAgent, makeFleet, makeWorkspaces } from "./external-fleet.ts";
import { openOurServer } from "./our-server.ts";
import { openPlainFetch } from "./plain-fetch.ts";
import { findStockServer } from "./stock-server.ts";

/** A server under measurement. */
export interface BenchServer {
  readonly name: "ours" | "stock";
  /** A client with the session of an owner. */
  readonly client: ApiClient;
  /** Creates running workspaces; resolves to their agents, each with a different token. */
  readonly makeAgents: (count: number) => Promise<readonly FleetAgent[]>;
  /** Creates running workspaces whose agents stay offline. */
  readonly makeWorkspaces: (count: number) => Promise<void>;
}

/** Starts our server on an empty directory, and finds the stock one that the environment names. */
export async function openBenchServers(
  opened: AsyncDisposableStack,
): Promise<readonly BenchServer[]> {
  const { client: owner } = await openOurServer(opened, unlimitedWorkspaces);
  const { serverUrl, headers } = owner;
  const client = new ApiClient({ serverUrl, headers, fetch: openPlainFetch() });
  const ours: BenchServer = {
    name: "ours",
    client,
    makeAgents: (count) => makeFleet(client, count),
    makeWorkspaces: (count) => makeWorkspaces(client, count),
  };
  const stock = findStockServer();
  return stock === undefined ? [ours] : [ours, { name: "stock", ...stock }];
}
