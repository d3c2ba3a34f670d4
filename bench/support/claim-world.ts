import { ApiClient } from "@slipway/sdk/http";
import { unlimitedWorkspaces } from "@slipway/testkit";

import { ClaimedAgents } from "./claimed-agents.ts";
import { type MeasuredPostgres, openMeasuredPostgres } from "./measured-postgres.ts";
import { openOurServer } from "./our-server.ts";
import { openPart, type Part } from "./part.ts";
import { openPlainFetch } from "./plain-fetch.ts";
import type { PrebuildPool } from "./prebuild-pool.ts";
import type { FleetReport, WaitingFleet } from "./waiting-fleet.ts";

/** A server with its database, and agents that wait for their owners. */
export interface ClaimWorld {
  readonly database: MeasuredPostgres;
  readonly serverPid: number;
  /** A client with the session of an owner. */
  readonly client: ApiClient;
  /** The waiting agents, in separate processes. */
  readonly fleets: readonly Part<WaitingFleet>[];
  /** The reports of those processes. */
  readonly claimed: ClaimedAgents;
}

/** The number of processes that play agents: in a single one the agents would keep each other waiting. */
const fleetCount = 2;

/** Starts everything, each part in a separate process; it ends with `opened`. */
export async function openClaimWorld(opened: AsyncDisposableStack): Promise<ClaimWorld> {
  const database = await openMeasuredPostgres(opened);
  const environment = { ...unlimitedWorkspaces, SLIPWAY_POSTGRES_URL: database.url };
  const { server, client: owner } = await openOurServer(opened, environment);
  const { serverUrl, headers } = owner;
  const claimed = new ClaimedAgents();
  const onReport = (reports: readonly FleetReport[]): void => reports.forEach(claimed.take);
  const args = [serverUrl, "agents"];
  return {
    database,
    serverPid: server.pid,
    client: new ApiClient({ serverUrl, headers, fetch: openPlainFetch() }),
    fleets: Array.from({ length: fleetCount }, () =>
      openPart(opened, "./waiting-fleet.ts", { args, onReport }),
    ),
    claimed,
  };
}

/** Fills a pool and connects the agents of its new prebuilds. The agents of claimed ones leave first. */
export async function refill({ fleets }: ClaimWorld, pool: PrebuildPool): Promise<void> {
  for (const fleet of fleets) await fleet.call("leave");
  const tokens = (await pool.fill()).map(({ token }) => token);
  const share = Math.ceil(tokens.length / fleets.length);
  await Promise.all(
    fleets.map((fleet, index) =>
      fleet.call("join", tokens.slice(index * share, (index + 1) * share)),
    ),
  );
  await pool.ready();
}
