import { randomUUID } from "node:crypto";

import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, inject, it } from "vitest";

import {
  type AgentSession,
  markAllAlive,
  markAllConnected,
  markAllDisconnected,
} from "../src/features/agents/connections/connection-queries.ts";
import {
  type LifecycleReport,
  updateLifecycles,
} from "../src/features/agents/lifecycle/lifecycle-rpc.ts";
import {
  type StartupReport,
  updateStartups,
} from "../src/features/agents/lifecycle/startup-rpc.ts";
import { isOneOfFew } from "../src/platform/db/one-of-few.ts";
import { seedAgent, seedBuild, type SeededWorkspace, seedWorkspace } from "./support/rows.ts";

let database: TestDatabase;

beforeEach(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
});

afterEach(() => database[Symbol.asyncDispose]());

/** Creates running agents, each in a separate build that is the newest of its workspace. */
async function seedAgents(count: number): Promise<readonly string[]> {
  const { db } = database;
  const place = await seedWorkspace(db);
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const workspaceId = index === 0 ? place.workspaceId : await seedSibling(place);
    const build = { number: 1, transition: "start", job: "succeeded" } as const;
    ids.push(await seedAgent(db, await seedBuild(db, { ...place, workspaceId }, build)));
  }
  return ids;
}

/** Creates another workspace of the same owner and template. */
async function seedSibling({ workspaceId }: SeededWorkspace): Promise<string> {
  const id = randomUUID();
  await sql`insert into workspaces (id, owner_id, organization_id, template_id, name)
    select ${id}, owner_id, organization_id, template_id, ${id} from workspaces
      where id = ${workspaceId}`.execute(database.db);
  return id;
}

async function setAgent(id: string, columns: { deleted?: true; took_over?: true }) {
  await database.db.updateTable("workspace_agents").set(columns).where("id", "=", id).execute();
}

function readAgents(ids: readonly string[]) {
  return database.db
    .selectFrom("workspace_agents")
    .where("id", "in", ids)
    .select([
      "id",
      "connection_id",
      "disconnected_at",
      "version",
      "subsystems",
      "lifecycle_state",
      "started_at",
      "ready_at",
    ])
    .execute()
    .then((rows) => ids.map((id) => rows.find((row) => row.id === id)));
}

function sessionOf(agentId: string): AgentSession {
  const authenticatedAt = new Date().toISOString();
  return { agentId, connectionId: randomUUID(), replicaId: randomUUID(), authenticatedAt };
}

it("records the sessions of many agents, each with what is true of it", async () => {
  const { db } = database;
  const [live = "", ended = ""] = await seedAgents(2);
  await setAgent(ended, { deleted: true });
  const sessions = [live, ended, randomUUID()].map(sessionOf);
  expect(await markAllConnected(db, sessions)).toEqual(
    new Map([
      [live, true],
      [ended, false],
    ]),
  );
  const connections = sessions.slice(0, 2).map(({ connectionId }) => connectionId);
  const connected = await readAgents([live, ended]);
  expect(connected.map((row) => row?.connection_id)).toEqual(connections);

  const replaced = { agentId: live, connectionId: randomUUID() };
  expect(await markAllDisconnected(db, [replaced])).toEqual(new Map());
  expect(await markAllDisconnected(db, sessions)).toEqual(
    new Map([
      [live, true],
      [ended, false],
    ]),
  );
  const [row] = await readAgents([live]);
  expect(row?.disconnected_at).not.toBeNull();
});

it("stores the descriptions of many agents, those of the live ones only", async () => {
  const { db } = database;
  const [one = "", other = "", ended = ""] = await seedAgents(3);
  await setAgent(ended, { deleted: true });
  const startup = (agentId: string, version: string): StartupReport => ({
    agentId,
    authenticatedAt: new Date().toISOString(),
    version,
    expandedDirectory: '/home/o\'hara "x"\\',
    subsystems: version === "v1.0.0" ? [] : ["envbox", "exectrace"],
    apiVersion: "2.10",
  });
  const stored = await updateStartups(db, [
    startup(one, "v1.0.0"),
    startup(other, "v2.0.0"),
    startup(ended, "v3.0.0"),
  ]);
  expect(stored).toEqual(
    new Map([
      [one, true],
      [other, true],
    ]),
  );
  expect(await readAgents([one, other, ended])).toMatchObject([
    { version: "v1.0.0", subsystems: [] },
    { version: "v2.0.0", subsystems: ["envbox", "exectrace"] },
    { version: "" },
  ]);
});

it("changes the states of many agents, each by its own rules", async () => {
  const { db } = database;
  const ids = await seedAgents(4);
  const [starting = "", ready = "", owed = "", ended = ""] = ids;
  await setAgent(owed, { took_over: true });
  await setAgent(ended, { deleted: true });
  const changedAt = new Date().toISOString();
  const report = (agentId: string, state: LifecycleReport["state"]): LifecycleReport => ({
    ...sessionOf(agentId),
    state,
    changedAt,
  });
  const effects = await updateLifecycles(db, [
    report(starting, "starting"),
    report(ready, "ready"),
    report(owed, "ready"),
    report(ended, "ready"),
  ]);
  expect(effects).toEqual(
    new Map([
      [starting, "changed"],
      [ready, "changed"],
      [owed, "none"],
      [ended, "not-live"],
    ]),
  );
  const time = expect.any(String);
  expect(await readAgents(ids)).toMatchObject([
    { lifecycle_state: "starting", started_at: time, ready_at: null },
    { lifecycle_state: "ready", started_at: time, ready_at: time },
    { lifecycle_state: "created", started_at: null, ready_at: null },
    { lifecycle_state: "created", started_at: null, ready_at: null },
  ]);
});

it("looks agents of a list up by their index, however small the table is when that is planned", async () => {
  const { rows } = await sql<{ readonly "QUERY PLAN": string }>`
    explain (generic_plan) update workspace_agents a set updated_at = now()
      from unnest(${sql.raw("$1")}::uuid[]) as new (id)
      where a.id = new.id and ${isOneOfFew("new.id")}`.execute(database.db);
  const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
  expect(plan).toContain("Index Scan using workspace_agents_pkey");
});

it("records a heartbeat without reading other agents, if it is planned while there are few", async () => {
  const { db } = database;
  // Nothing is known of the table, as in a deployment that has just been started.
  await sql`alter table workspace_agents set (autovacuum_enabled = false)`.execute(db);
  const [id = ""] = await seedAgents(40);
  const session = sessionOf(id);
  await markAllConnected(db, [session]);
  await db.transaction().execute(async (trx) => {
    await sql`set local plan_cache_mode = force_generic_plan`.execute(trx);
    const read = async (): Promise<number> => {
      const { rows } = await sql<{ count: number }>`
        select (seq_tup_read + coalesce(idx_tup_fetch, 0))::int as count
          from pg_stat_xact_user_tables where relname = 'workspace_agents'`.execute(trx);
      return rows[0]?.count ?? 0;
    };
    const before = await read();
    const { holders, liveAgents } = await markAllAlive(trx, [session]);
    expect(holders).toEqual(new Set([session.connectionId]));
    expect(liveAgents).toEqual(new Set([id]));
    expect((await read()) - before).toBeLessThan(10);
  });
});
