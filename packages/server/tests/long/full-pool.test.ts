import { createWorkspace } from "@slipway/api/workspaces/routes";
import { silentLogger } from "@slipway/runtime";
import { connectExternalAgent, pushTemplate, waitForWorkspace } from "@slipway/testkit";
import { sql } from "kysely";
import { expect, inject, it } from "vitest";

import { defaultDirectoryTimes } from "../../src/network/coordinator/peer-directory.ts";
import { openDatabase } from "../../src/platform/db/database.ts";
import { fillPool } from "../support/full-pool.ts";
import { openServer } from "../support/open-server.ts";

const connections = 10;
const patience = { timeout: 60_000, interval: 250 };
const template = `driver: external
agents:
  main: { os: linux, arch: amd64 }
`;

it(
  "keeps sessions and peers while other statements occupy all connections of the pool",
  { timeout: 120_000 },
  async () => {
    await using opened = new AsyncDisposableStack();
    const environment = { SLIPWAY_MAX_DATABASE_CONNECTIONS: String(connections) };
    const server = opened.use(await openServer(inject("postgresUrl"), environment));
    const template_id = await pushTemplate(server.admin, "small", template);
    const body = { name: "dev", template_id };
    const { id } = await server.admin.call(createWorkspace, { params: { user: "me" }, body });
    await waitForWorkspace(
      server.admin,
      id,
      (found) => found.latest_build.job.status === "succeeded",
    );
    const agent = await connectExternalAgent(server.admin, id, "main");
    opened.defer(() => agent.connection.close());
    const address = { url: server.postgresUrl };
    const outside = openDatabase(address, silentLogger, { max: 1 });
    opened.defer(() => outside.destroy());
    const read = async () => {
      const { rows } = await sql<{
        readonly session: string | null;
        readonly server: string;
        readonly lastAliveMs: number;
        readonly beatMs: number;
      }>`select connection_id as session, tailnet_coordinators.id as server,
          extract(epoch from last_connected_at)::float8 * 1000 as "lastAliveMs",
          extract(epoch from heartbeat_at)::float8 * 1000 as "beatMs"
        from workspace_agents, tailnet_coordinators`.execute(outside);
      expect(rows).toHaveLength(1);
      return rows[0];
    };
    await expect.poll(async () => (await read())?.session, patience).not.toBeNull();
    const held = opened.use(await fillPool(server.db, connections - 1));
    const before = await read();
    const passed = async (): Promise<boolean> => {
      const now = await read();
      if (now === undefined || before === undefined) return false;
      const beatForMs = now.beatMs - before.beatMs;
      return now.lastAliveMs > before.lastAliveMs && beatForMs > defaultDirectoryTimes.deadMs;
    };
    await expect.poll(passed, patience).toBe(true);
    await held[Symbol.asyncDispose]();
    expect(await server.request("GET", `/workspaces/${id}`)).toMatchObject({ status: 200 });
    const { session, server: coordinator } = (await read()) ?? {};
    expect([session, coordinator]).toEqual([before?.session, before?.server]);
  },
);
