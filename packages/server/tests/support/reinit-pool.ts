import type { Workspace } from "@slipway/api/workspaces/workspace";
import { connectWithToken, type ExternalAgent } from "@slipway/testkit";

import type { OpenServer } from "./open-server.ts";
import { addPerson, type Client } from "./people.ts";
import { type ConnectAgent, fillPool, pushPool, type TestPool } from "./pool.ts";
import type { SlowDriver } from "./slow-driver.ts";

export const ping = "event: ping\n\n";

/** Returns the frame that notifies a workspace's agents of its claim. */
export function frameOf({ id, owner_id: owner }: Workspace): string {
  return `event: data\ndata: {"workspace_id":"${id}","reason":"prebuild_claimed","owner_id":"${owner}"}\n\n`;
}

/** A prebuild whose agents are connected, and the user who will claim it. */
export interface ReinitPool {
  readonly pool: TestPool;
  readonly agents: readonly ExternalAgent[];
  readonly main: ExternalAgent;
  readonly client: Client;
}

/** Fills a pool of one (default driver: `external`). */
export async function openReinitPool(
  server: OpenServer,
  opened: AsyncDisposableStack,
  driver?: SlowDriver,
): Promise<ReinitPool> {
  const pool = await pushPool(server, 1, driver === undefined ? {} : { driver: driver.name });
  // Only the driver `external` reveals tokens.
  const connect: ConnectAgent | undefined =
    driver && ((id, name) => connectWithToken(server.url, driver.tokenOf(id, name)));
  const [filled] = await fillPool(server, 1, opened, connect === undefined ? {} : { connect });
  const [main] = filled?.agents ?? [];
  if (filled === undefined || main === undefined) throw new Error("the pool is empty");
  const { client } = await addPerson(server, "ann");
  return { pool, agents: filled.agents, main, client };
}
