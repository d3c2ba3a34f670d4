import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ApiClient } from "@slipway/sdk/http";
import { logInAsAdmin, startServerProcess, unlimitedWorkspaces } from "@slipway/testkit";

import { ClaimedAgents } from "./claimed-agents.ts";
import { type MeasuredPostgres, openMeasuredPostgres } from "./measured-postgres.ts";
import { openWaitingFleet, type WaitingFleet } from "./open-waiting-fleet.ts";
import { openPlainFetch } from "./plain-fetch.ts";
import type { PrebuildPool } from "./prebuild-pool.ts";

/** A server with its database, and agents that wait for their owners. */
export interface ClaimWorld {
  readonly database: MeasuredPostgres;
  readonly serverPid: number;
  /** A client with the session of an owner. */
  readonly client: ApiClient;
  /** The agents that wait, in processes of their own, and their reports. */
  readonly fleets: readonly WaitingFleet[];
  readonly claimed: ClaimedAgents;
  /** A directory for files; removed with the world. */
  readonly directory: string;
}

/** The number of processes that play agents: one alone would keep its agents waiting for each other. */
const fleetCount = 2;

/** Starts everything, each in a process of its own; it goes with `opened`. */
export async function openClaimWorld(opened: AsyncDisposableStack): Promise<ClaimWorld> {
  const database = await openMeasuredPostgres(opened);
  const directory = await mkdtemp(join(tmpdir(), "slipway-bench-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  const server = opened.use(
    await startServerProcess({
      dataDir: join(directory, "server"),
      port: 0,
      environment: { ...unlimitedWorkspaces, SLIPWAY_POSTGRES_URL: database.url },
    }),
  );
  const { headers } = await logInAsAdmin(server.url);
  const claimed = new ClaimedAgents();
  const order = { kind: "agents", serverUrl: server.url } as const;
  return {
    database,
    serverPid: server.pid,
    client: new ApiClient({ serverUrl: server.url, headers, fetch: openPlainFetch() }),
    fleets: Array.from({ length: fleetCount }, () =>
      openWaitingFleet(opened, order, (report) => claimed.take(report)),
    ),
    claimed,
    directory,
  };
}

/** Fills a pool and connects the agents of its new prebuilds. Those that were claimed leave first. */
export async function refill({ fleets }: ClaimWorld, pool: PrebuildPool): Promise<void> {
  for (const fleet of fleets) await fleet.leave();
  const tokens = (await pool.fill()).map(({ token }) => token);
  const share = Math.ceil(tokens.length / fleets.length);
  await Promise.all(
    fleets.map((fleet, index) => fleet.join(tokens.slice(index * share, (index + 1) * share))),
  );
  await pool.ready();
}
