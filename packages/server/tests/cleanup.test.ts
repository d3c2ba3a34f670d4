import { randomUUID } from "node:crypto";

import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, inject, it } from "vitest";

import { packLines } from "../src/features/agents/logs/log-lines.ts";
import { appendLogs, readLogs } from "../src/features/agents/logs/log-store.ts";
import { keptHistories, roundLimits } from "../src/features/cleanup/limits.ts";
import { cleanUp } from "../src/features/cleanup/service.ts";
import { insertFile } from "../src/features/files/service.ts";
import { defaultLimits } from "../src/platform/config/limits.ts";
import { seedAgent, seedBuild, seedWorkspace, type SeededWorkspace } from "./support/rows.ts";

const day = 24 * 3600 * 1000;
const nothing = {
  agents: 0,
  rowsOfAgents: 0,
  usageRows: 0,
  keys: 0,
  files: 0,
  dryRuns: 0,
  versions: 0,
  runs: 0,
  readings: 0,
  auditEntries: 0,
  buildLogLines: 0,
};

let database: TestDatabase;
let place: SeededWorkspace;
/** The test's rows are created now and examined later. */
let now: number;

beforeEach(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
  place = await seedWorkspace(database.db);
  now = Date.now();
});

afterEach(() => database[Symbol.asyncDispose]());

/** Creates an agent of the build with that number, with a log, statistics and a script run. */
async function makeAgent(number: number): Promise<string> {
  const { db } = database;
  const build = await seedBuild(db, place, { number, transition: "start", job: "succeeded" });
  const agentId = await seedAgent(db, build);
  const lines = ["one", "two"].map((output) => ({ createdNs: 0n, level: "info", output }) as const);
  await appendLogs(db, { agentId, sourceId: randomUUID(), lines: packLines(lines) });
  const scriptId = randomUUID();
  await sql`insert into workspace_agent_stats (workspace_agent_id, stats) values (${agentId}, '{}')`.execute(
    db,
  );
  await sql`insert into workspace_agent_scripts (id, workspace_agent_id, position, log_source_id, script)
    values (${scriptId}, ${agentId}, 0, ${randomUUID()}, 'true')`.execute(db);
  await sql`insert into workspace_agent_script_timings (script_id, started_at, ended_at, exit_code, stage, status)
    values (${scriptId}, now(), now(), 0, 'start', 'ok')`.execute(db);
  return agentId;
}

async function history(agentId: string): Promise<readonly number[]> {
  const { rows } = await sql<{ logs: number; stats: number; timings: number }>`select
    (select count(*) from workspace_agent_logs where workspace_agent_id = ${agentId}) as logs,
    (select count(*) from workspace_agent_stats where workspace_agent_id = ${agentId}) as stats,
    (select count(*) from workspace_agent_script_timings t join workspace_agent_scripts s
      on s.id = t.script_id where s.workspace_agent_id = ${agentId}) as timings`.execute(
    database.db,
  );
  return rows.flatMap(({ logs, stats, timings }) => [logs, stats, timings]);
}

it("removes the history of agents a week after their build was replaced, and of no other", async () => {
  const old = await makeAgent(1);
  const newest = await makeAgent(2);
  expect(await cleanUp(database.db, now + 6 * day, defaultLimits)).toEqual(nothing);
  expect(await cleanUp(database.db, now + 8 * day, defaultLimits)).toEqual({
    ...nothing,
    agents: 1,
    rowsOfAgents: 2,
  });
  expect(await history(old)).toEqual([0, 1, 0]);
  expect(await history(newest)).toEqual([2, 1, 1]);
  expect(await cleanUp(database.db, now + 80 * day, defaultLimits)).toEqual({
    ...nothing,
    usageRows: 2,
  });
});

it("keeps the history of the newest thirty agents of an owner whose builds were replaced", async () => {
  const agents: string[] = [];
  for (let number = 1; number <= keptHistories + 3; number += 1) {
    agents.push(await makeAgent(number));
  }
  // By then nothing has changed for an hour.
  expect(await cleanUp(database.db, now + day / 12, defaultLimits)).toEqual(nothing);
  expect(await cleanUp(database.db, now, defaultLimits)).toMatchObject({ agents: 2 });
  const logs = await Promise.all(agents.map(async (id) => (await history(id))[0]));
  expect(logs).toEqual([0, 0, ...agents.slice(2).map(() => 2)]);
  expect(await cleanUp(database.db, now, defaultLimits)).toEqual(nothing);
});

it("counts the week from when the agent was last there, where that is later", async () => {
  const old = await makeAgent(1);
  await makeAgent(2);
  const lastThere = new Date(now + 5 * day).toISOString();
  await sql`update workspace_agents set last_connected_at = ${lastThere} where id = ${old}`.execute(
    database.db,
  );
  expect(await cleanUp(database.db, now + 8 * day, defaultLimits)).toEqual(nothing);
  const disconnected = new Date(now + 6 * day).toISOString();
  await sql`update workspace_agents set disconnected_at = ${disconnected} where id = ${old}`.execute(
    database.db,
  );
  expect(await cleanUp(database.db, now + 12.5 * day, defaultLimits)).toEqual(nothing);
  expect(await cleanUp(database.db, now + 13.5 * day, defaultLimits)).toMatchObject({ agents: 1 });
});

it("removes old usage of an agent that lives, but what each app reported last", async () => {
  const { db } = database;
  const agentId = await makeAgent(1);
  const appId = randomUUID();
  await sql`insert into workspace_apps (id, workspace_agent_id, position, slug)
    values (${appId}, ${agentId}, 0, 'x')`.execute(db);
  await sql`insert into workspace_app_statuses (workspace_app_id, state, message, created_at)
    select ${appId}, 'working', n::text, now() + make_interval(secs => n)
      from generate_series(1, 3) n`.execute(db);
  await sql`insert into workspace_connections (id, workspace_agent_id, type, connected_at)
    values (${randomUUID()}, ${agentId}, 'ssh', now())`.execute(db);
  expect(await cleanUp(db, now + 60 * day, defaultLimits)).toEqual(nothing);
  expect(await cleanUp(db, now + 62 * day, defaultLimits)).toEqual({ ...nothing, usageRows: 2 });
  const left = await db.selectFrom("workspace_app_statuses").select("message").execute();
  expect(left).toEqual([{ message: "3" }]);
  expect(await db.selectFrom("workspace_connections").select("id").execute()).toEqual([]);
  expect(await history(agentId)).toEqual([2, 0, 1]);
});

it("lets a reader of a removed log know how much there was", async () => {
  const old = await makeAgent(1);
  await makeAgent(2);
  await cleanUp(database.db, now + 8 * day, defaultLimits);
  const logs = await readLogs(database.db, old, { after: 0, before: undefined });
  expect(logs).toMatchObject([{ id: 2, level: "warn", output: "… 2 lines are not kept …" }]);
});

it("removes a long history in rounds", async () => {
  const old = await makeAgent(1);
  await makeAgent(2);
  const { rowsOfAgents: limit } = roundLimits;
  await sql`insert into workspace_connections (id, workspace_agent_id, type)
    select gen_random_uuid(), ${old}, 'ssh' from generate_series(1, ${limit + 10}::integer)`.execute(
    database.db,
  );
  const later = now + 8 * day;
  expect(await cleanUp(database.db, later, defaultLimits)).toMatchObject({
    agents: 1,
    rowsOfAgents: limit,
  });
  expect(await history(old)).toEqual([0, 1, 0]);
  expect(await cleanUp(database.db, later, defaultLimits)).toMatchObject({
    agents: 1,
    rowsOfAgents: 10,
  });
  expect(await cleanUp(database.db, later, defaultLimits)).toEqual(nothing);
});

it("removes keys a month after they expired, so many in a round", async () => {
  await sql`insert into api_keys (id, hashed_secret, user_id, login_type, lifetime_seconds, expires_at)
    select lpad(n::text, 10, '0'), '', ${place.userId}, 'password', 60,
        now() - make_interval(secs => n) from generate_series(0, ${roundLimits.keys}::integer) n`.execute(
    database.db,
  );
  expect(await cleanUp(database.db, now + 29 * day, defaultLimits)).toMatchObject({ keys: 0 });
  expect(await cleanUp(database.db, now + 31 * day, defaultLimits)).toMatchObject({
    keys: roundLimits.keys,
  });
  // The one that expired last remains for the next round.
  const left = await database.db.selectFrom("api_keys").select("id").execute();
  expect(left).toEqual([{ id: "0000000000" }]);
  expect(await cleanUp(database.db, now + 31 * day, defaultLimits)).toMatchObject({ keys: 1 });
});

it("removes files that no version has a day after they were uploaded last", async () => {
  const { db } = database;
  const file = { hash: "abc", mimetype: "application/x-tar", data: Buffer.from("x") };
  const createdBy = place.userId;
  const { id, isNew } = await insertFile(db, { ...file, createdBy });
  expect(isNew).toBe(true);
  await sql`update files set created_at = now() - interval '2 days'`.execute(db);
  // A user uploads the same file again, and will create a version of it.
  expect(await insertFile(db, { ...file, createdBy })).toEqual({ id, isNew: false });
  expect(await cleanUp(db, now, defaultLimits)).toEqual(nothing);
  expect(await cleanUp(db, now + 2 * day, defaultLimits)).toEqual({ ...nothing, files: 1 });
  const left = await db.selectFrom("files").select("id").execute();
  expect(left).toEqual([{ id: place.fileId }]);
});

it("removes dry runs a day after they ended, and versions without a template after a week", async () => {
  const { db } = database;
  const job = (type: string) => sql<{ id: string }>`
    insert into jobs (type, organization_id, initiator_id, file_id, completed_at)
      select ${type}, organization_id, ${place.userId}, ${place.fileId}, now()
        from templates limit 1 returning id`;
  const [imported] = (await job("template_version_import").execute(db)).rows;
  const { rows: versions } = await sql<{ id: string }>`
    insert into template_versions (organization_id, name, job_id, file_id, created_by)
      select organization_id, 'unused', ${imported?.id}, ${place.fileId}, ${place.userId}
        from templates limit 1 returning id`.execute(db);
  const [tried] = (await job("template_version_dry_run").execute(db)).rows;
  await sql`insert into template_version_dry_runs (job_id, template_version_id, workspace_name, parameters)
    values (${tried?.id}, ${versions[0]?.id}, '', '[]')`.execute(db);
  const before = await db.selectFrom("template_versions").select("id").execute();
  expect(await cleanUp(db, now + 0.9 * day, defaultLimits)).toEqual(nothing);
  expect(await cleanUp(db, now + 2 * day, defaultLimits)).toEqual({ ...nothing, dryRuns: 1 });
  expect(await cleanUp(db, now + 8 * day, defaultLimits)).toMatchObject({
    dryRuns: 0,
    versions: 1,
  });
  const left = await db.selectFrom("template_versions").select("id").execute();
  expect(left).toEqual(before.filter(({ id }) => id !== versions[0]?.id));
});

it("counts the week from when the build was replaced, however old it is", async () => {
  const { db } = database;
  const old = await makeAgent(1);
  await sql`update workspace_agents set created_at = now() - interval '30 days'`.execute(db);
  await makeAgent(2);
  expect(await cleanUp(db, now + 6 * day, defaultLimits)).toEqual(nothing);
  expect(await history(old)).toEqual([2, 1, 1]);
});

it("leaves a version alone whose import or dry run is not over", async () => {
  const { db } = database;
  const addJob = async (type: string, isOver: boolean): Promise<string> => {
    const { rows } = await sql<{ id: string }>`
      insert into jobs (type, organization_id, initiator_id, file_id, completed_at)
        select ${type}, organization_id, ${place.userId}, ${place.fileId}, case when ${isOver} then now() end
          from templates limit 1 returning id`.execute(db);
    return rows[0]?.id ?? "";
  };
  const addVersion = async (isImported: boolean): Promise<string> => {
    const { rows } = await sql<{ id: string }>`
      insert into template_versions (organization_id, name, job_id, file_id, created_by)
        select organization_id, ${randomUUID()}, ${await addJob("template_version_import", isImported)},
            ${place.fileId}, ${place.userId}
          from templates limit 1 returning id`.execute(db);
    return rows[0]?.id ?? "";
  };
  await addVersion(false);
  const tried = await addVersion(true);
  await sql`insert into template_version_dry_runs (job_id, template_version_id, workspace_name, parameters)
    values (${await addJob("template_version_dry_run", false)}, ${tried}, '', '[]')`.execute(db);
  const before = await db.selectFrom("template_versions").select("id").orderBy("id").execute();
  expect(await cleanUp(db, now + 8 * day, defaultLimits)).toEqual(nothing);
  expect(await db.selectFrom("template_versions").select("id").orderBy("id").execute()).toEqual(
    before,
  );
});

it("keeps the history of an agent that goes on until its stop is done, however many came later", async () => {
  const { db } = database;
  const first = place;
  place = { ...first, workspaceId: randomUUID() };
  await sql`insert into workspaces (id, owner_id, organization_id, template_id, name)
    select ${place.workspaceId}, owner_id, organization_id, template_id, 'other' from workspaces`.execute(
    db,
  );
  const running = await makeAgent(1);
  await seedBuild(db, place, { number: 2, transition: "stop", job: "running" });
  place = first;
  for (let number = 1; number <= keptHistories + 1; number += 1) await makeAgent(number);
  expect(await cleanUp(db, now, defaultLimits)).toEqual(nothing);
  expect(await history(running)).toEqual([2, 1, 1]);
});

it("leaves the work to the replica that is at it", async () => {
  await makeAgent(1);
  await makeAgent(2);
  await database.db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(${0x63_6c_65_61})`.execute(trx);
    expect(await cleanUp(database.db, now + 8 * day, defaultLimits)).toBeUndefined();
  });
  expect(await cleanUp(database.db, now + 8 * day, defaultLimits)).toMatchObject({ agents: 1 });
});

it("keeps one report of each hour of statistics that are two days old, and all that are younger", async () => {
  const { db } = database;
  const agentId = await makeAgent(1);
  const hour = 3600 * 1000;
  const times = [1, 2, 3].map((minute) =>
    new Date(Math.floor(now / hour) * hour + minute).toISOString(),
  );
  const other = await makeAgent(2);
  await db.deleteFrom("workspace_agent_stats").execute();
  await sql`insert into workspace_agent_stats (workspace_agent_id, stats, created_at)
    values (${other}, '{}', ${times[0]})`.execute(db);
  for (const time of times) {
    await sql`insert into workspace_agent_stats (workspace_agent_id, stats, created_at)
      values (${agentId}, '{}', ${time})`.execute(db);
  }
  expect(await cleanUp(db, now + 1.9 * day, defaultLimits)).toEqual(nothing);
  expect(await cleanUp(db, now + 2.1 * day, defaultLimits)).toEqual({ ...nothing, usageRows: 2 });
  expect([await history(agentId), await history(other)].map(([, stats]) => stats)).toEqual([1, 1]);
});

it("removes sub-agents a day after they ended, with all they had, and no other", async () => {
  const { db } = database;
  const parent = await makeAgent(1);
  const child = await makeAgent(2);
  const live = await makeAgent(3);
  await sql`update workspace_agents set parent_id = ${parent} where id in (${child}, ${live})`.execute(
    db,
  );
  await sql`update workspace_agents set deleted = true where id in (${parent}, ${child})`.execute(
    db,
  );
  expect(await cleanUp(db, now + 0.9 * day, defaultLimits)).toEqual(nothing);
  expect(await cleanUp(db, now + 1.1 * day, defaultLimits)).toEqual({ ...nothing, usageRows: 1 });
  const left = await db.selectFrom("workspace_agents").select("id").execute();
  expect(new Set(left.map(({ id }) => id))).toEqual(new Set([parent, live]));
  expect(await history(child)).toEqual([0, 0, 0]);
});

it("removes audit entries and the logs of builds after as many days as the operator sets", async () => {
  const { db } = database;
  const { jobId } = await seedBuild(db, place, {
    number: 1,
    transition: "start",
    job: "succeeded",
  });
  await sql`insert into audit_log (action, resource_type, resource_id, resource_target)
    values ('create', 'workspace', ${place.workspaceId}, 'dev')`.execute(db);
  await sql`insert into job_logs (job_id, log_source, log_level, stage, output)
    values (${jobId}, 'provisioner', 'info', '', 'built')`.execute(db);
  const retention = { maxAuditDays: 20, maxBuildLogDays: 10 };
  expect(await cleanUp(db, now + 9 * day, retention)).toEqual(nothing);
  expect(await cleanUp(db, now + 11 * day, retention)).toEqual({ ...nothing, buildLogLines: 1 });
  expect(await cleanUp(db, now + 19 * day, retention)).toEqual(nothing);
  expect(await cleanUp(db, now + 21 * day, retention)).toEqual({ ...nothing, auditEntries: 1 });
});

it("keeps audit entries and logs forever if they have no limit", async () => {
  const { db } = database;
  await sql`insert into audit_log (action, resource_type, resource_id, resource_target)
    values ('create', 'workspace', ${place.workspaceId}, 'dev')`.execute(db);
  const retention = { maxAuditDays: Infinity, maxBuildLogDays: Infinity };
  expect(await cleanUp(db, now + 36_000 * day, retention)).toEqual(nothing);
});

it("removes a question of a form an hour after it was asked", async () => {
  const { db } = database;
  await sql`insert into parameter_readings (session_id, template_version_id, owner_id, given)
    select gen_random_uuid(), id, ${place.userId}, '{}' from template_versions limit 1`.execute(db);
  expect(await cleanUp(db, now + day / 48, defaultLimits)).toEqual(nothing);
  expect(await cleanUp(db, now + day / 12, defaultLimits)).toEqual({ ...nothing, readings: 1 });
});
