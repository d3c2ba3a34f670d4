import { randomUUID } from "node:crypto";

import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import { systemClock } from "@slipway/runtime";
import {
  fillFleet,
  fleetId,
  fleetTables,
  openTestDatabase,
  type TestDatabase,
} from "@slipway/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { selectWorkspaceConnections } from "../../src/features/agents/connections/connection-log-queries.ts";
import { listConnections } from "../../src/features/agents/connections/connection-log-routes.ts";
import { listAuditEntries } from "../../src/features/audit/routes.ts";
import { selectBuilds } from "../../src/features/builds/queries.ts";
import { cutoffs, keptHistories, roundLimits } from "../../src/features/cleanup/limits.ts";
import {
  agedTables,
  deleteAged,
  deleteDryRuns,
  deleteEndedSubAgents,
  deleteExpiredKeys,
  selectOldAgents,
  selectSurplusAgents,
  separateTables,
  thinStatistics,
} from "../../src/features/cleanup/queries.ts";
import { readStats } from "../../src/features/deployment/stats-service.ts";
import { listClaims } from "../../src/features/prebuilds/pools/claims.ts";
import { selectTotals } from "../../src/features/prebuilds/pools/service.ts";
import { selectPoolIds } from "../../src/features/prebuilds/reconcile/queries.ts";
import { selectDue } from "../../src/features/schedules/queries.ts";
import { selectTemplates } from "../../src/features/templates/queries.ts";
import { type ListPage, listWorkspaces } from "../../src/features/workspaces/list-service.ts";
import { parseSearch } from "../../src/features/workspaces/search.ts";
import { defaultLimits } from "../../src/platform/config/limits.ts";
import type { Queryable } from "../../src/platform/db/database.ts";
import { fullGrant, type UserCaller } from "../../src/platform/http/caller.ts";
import { acquireJob } from "../../src/platform/jobs/acquire-query.ts";
import { listJobs } from "../../src/platform/jobs/list-service.ts";
import { readJob } from "../../src/platform/jobs/service.ts";
import { seedBuild, seedWorkspace, type SeededWorkspace } from "../support/rows.ts";

/* What lists, schedulers and sweeps read in a deployment of 50,000 workspaces: what they need, by indexes. */

let database: TestDatabase;
let seeded: SeededWorkspace;

beforeAll(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
  const { db } = database;
  seeded = await seedWorkspace(db);
  await seedBuild(db, seeded, { number: 1, transition: "start", job: "succeeded" });
  await fillFleet((statement) => sql.raw(statement).execute(db), seeded, 50_000);
}, 300_000);
afterAll(() => database[Symbol.asyncDispose]());

const page = { limit: 25, offset: 0 };
const anyTemplate = { exactName: undefined, isDeprecated: undefined };

/** A name, the rows that it scans, the largest number that it reads by indexes, and the work itself. */
type Row = [string, number, number, (db: Queryable) => Promise<unknown>];

interface Reads {
  readonly scanned: number;
  readonly fetched: number;
}

/** Returns the rows of the fleet's tables that a session has read: by scans, and by indexes. */
async function readCounts(db: Queryable): Promise<Reads> {
  const { rows } = await sql<Reads>`
    select coalesce(sum(seq_tup_read), 0)::int as scanned, coalesce(sum(idx_tup_fetch), 0)::int as fetched
      from pg_stat_xact_user_tables where relname = any(${[...fleetTables]})`.execute(db);
  return rows[0] ?? { scanned: 0, fetched: 0 };
}

/** Returns the rows that `work` reads. */
function countReads(work: (db: Queryable) => Promise<unknown>): Promise<Reads> {
  return database.db.transaction().execute(async (trx) => {
    const before = await readCounts(trx);
    await work(trx);
    const after = await readCounts(trx);
    return {
      scanned: after.scanned - before.scanned,
      fetched: after.fetched - before.fetched,
    };
  });
}

/** Returns a caller with these roles. */
function viewerWith(roles: readonly string[]): UserCaller {
  const { userId: id } = seeded;
  return { id, username: "ann", roles, keyId: "", grant: fullGrant, origin: undefined };
}

/** Reads the first page of a list. */
async function listPage(
  db: Queryable,
  roles: readonly string[],
  { q = "", ...order }: { readonly q?: string } & Pick<ListPage, "sort"> = {},
): Promise<void> {
  const viewer = viewerWith(roles);
  const needs = { db, clock: systemClock };
  const found = await listWorkspaces(needs, viewer, parseSearch(q), { ...page, ...order });
  expect(found.workspaces).not.toHaveLength(0);
}

async function listPageOfJobs(db: Queryable, roles: readonly string[], status = ""): Promise<void> {
  await listJobs(db, viewerWith(roles), seeded.organizationId, { status });
}

/** The rows of the count of all workspaces, the one thing that takes a look at each. */
const countOfAll = 50_001;
/** The largest count of entries that lists state. */
const countCap = 2_000;
const old = cutoffs(Date.now(), defaultLimits);
const { agents: most } = roundLimits;

const newBuild = { number: 3, transition: "stop", job: "succeeded" } as const;

function placeOf(workspace: number): SeededWorkspace {
  return { ...seeded, workspaceId: fleetId("workspace", workspace) };
}

/** Looks for the agents whose history has no room left; one user has a new build. */
async function lookForSurplus(db: Queryable): Promise<void> {
  expect(await selectSurplusAgents(db, old, keptHistories, most)).toHaveLength(0);
  await seedBuild(database.db, placeOf(6), newBuild);
  expect(await selectSurplusAgents(db, old, keptHistories, most)).toHaveLength(11);
}

/** Lists claims, of which there were some before the other workspaces were started. */
async function listOldClaims(db: Queryable): Promise<void> {
  const presetId = randomUUID();
  await sql`insert into template_version_presets (id, template_version_id, name)
    values (${presetId}, ${seeded.versionId}, 'old')`.execute(database.db);
  await sql`update workspace_builds b
    set template_version_preset_id = ${presetId},
      initiator_id = case build_number when 1 then ${prebuildsUserId} else initiator_id end,
      created_at = created_at - build_number * interval '1 hour'
    from (select id from workspaces order by id limit 1_000) old
    where b.workspace_id = old.id`.execute(database.db);
  await sql`analyze workspace_builds`.execute(database.db);
  expect(await listClaims(db, viewerWith(["owner"]))).toHaveLength(50);
}

const { usage, auditEntries, buildLogLines, thinnedUsage: from, wholeUsage: to } = old;
/** The removal of what is too old, of which there is nothing. */
const removals = [
  ...agedTables.map((table) => ({ table, cutoff: usage })),
  { table: separateTables.auditEntries, cutoff: auditEntries },
  { table: separateTables.buildLogLines, cutoff: buildLogLines },
].map(({ table, cutoff }): Row => [
  `the removal from ${table.name}`,
  0,
  100,
  (db) => deleteAged(db, table, cutoff, most),
]);

it.each<Row>([
  ["a page of an owner's list", countOfAll, 1_000, (db) => listPage(db, ["owner"])],
  ["a page of a member's list", 0, 1_000, (db) => listPage(db, [])],
  ["a page of those of one user", 0, 1_000, (db) => listPage(db, ["owner"], { q: "owner:user-7" })],
  ["a page by name", countOfAll, 1_000, (db) => listPage(db, ["owner"], { sort: "name" })],
  ["a page by use", countOfAll, 1_000, (db) => listPage(db, ["owner"], { sort: "last_used" })],
  ["a page by status", countOfAll, 1_000, (db) => listPage(db, ["owner"], { sort: "status" })],
  ["a member's page by use", 0, 1_000, (db) => listPage(db, [], { sort: "last_used" })],
  [
    "a page with exclusions",
    countOfAll,
    1_000,
    (db) => listPage(db, ["owner"], { q: "-owner:user-7" }),
  ],
  ["a page of the jobs", 0, 1_000, (db) => listPageOfJobs(db, ["owner"])],
  ["a member's page of the jobs", 0, 1_000, (db) => listPageOfJobs(db, [])],
  ["the open jobs", 0, 1_000, (db) => listPageOfJobs(db, ["owner"], "pending,running,canceling")],
  ["the failed jobs", 0, 1_000, (db) => listPageOfJobs(db, ["owner"], "failed,canceled")],
  ["the builds of a workspace", 0, 100, (db) => selectBuilds(db, fleetId("workspace", 7))],
  [
    "a page of the audit trail",
    countCap,
    1_000,
    (db) =>
      listAuditEntries({ db, readUsers: async () => new Map() }, viewerWith(["owner"]), {}, page),
  ],
  [
    "a page of the connections",
    0,
    20_000,
    (db) => listConnections(db, viewerWith(["owner"]), {}, page),
  ],
  [
    "the connections of a workspace",
    0,
    100,
    (db) => selectWorkspaceConnections(db, fleetId("workspace", 7), 100),
  ],
  [
    "the templates with their users",
    0,
    countOfAll + 3_000,
    (db) => selectTemplates(db, anyTemplate),
  ],
  ["the usage of the deployment", countOfAll, 50_000, (db) => readStats(db, Date.now())],
  ["the totals of the pools", 0, 100, (db) => selectTotals(db)],
  ["a pass of the scheduler", 0, 100, async (db) => Array.fromAsync(selectDue(db, Date.now()))],
  ["a look at the queue of jobs", 0, 100, (db) => acquireJob(db, randomUUID(), [])],
  ["a look at the pools", 0, 100, (db) => selectPoolIds(db)],
  ["a look for old agents", 0, 100, (db) => selectOldAgents(db, old.replacedBuilds, most)],
  ["a look for surplus agents", 0, 1_000, lookForSurplus],
  ["the thinning of reports", 0, 100, (db) => thinStatistics(db, { from, to }, most)],
  ["the removal of sub-agents", 0, 100, (db) => deleteEndedSubAgents(db, old.endedSubAgents, most)],
  ["the removal of keys", 0, 100, (db) => deleteExpiredKeys(db, old.expiredKeys, most)],
  ["the removal of dry runs", 0, 100, (db) => deleteDryRuns(db, old.dryRuns, most)],
  ...removals,
  ["a new build", 0, 100, (db) => seedBuild(db, placeOf(9), newBuild)],
  ["the latest claims", 0, 5_000, listOldClaims],
])("%s scans %i rows, and reads at most %i others", async (_what, scanned, fetched, work) => {
  const reads = await countReads(work);
  expect(reads.scanned).toBe(scanned);
  expect(reads.fetched).toBeLessThanOrEqual(fetched);
});

/** Queues 1,000 jobs, and returns the one in the middle. */
async function fillQueue(): Promise<string> {
  await sql`insert into jobs (type, organization_id, initiator_id, file_id, created_at)
    select 'template_version_import', ${seeded.organizationId}, ${seeded.userId}, ${seeded.fileId},
        now() - second * interval '1 second'
      from generate_series(1, 1_000) second`.execute(database.db);
  await sql`analyze jobs`.execute(database.db);
  const { rows } = await sql<{ readonly id: string }>`
    select id from jobs where completed_at is null order by created_at offset 500 limit 1`.execute(
    database.db,
  );
  return rows[0]?.id ?? "";
}

it("a long queue of jobs costs no worker a scan, and no job that waits in it", async () => {
  const id = await fillQueue();
  const look = await countReads((db) => acquireJob(db, randomUUID(), []));
  expect(look.scanned).toBe(0);
  expect(look.fetched).toBeLessThanOrEqual(100);
  const read = await countReads((db) => readJob(db, id));
  expect(read.scanned).toBe(0);
  expect(read.fetched).toBeLessThanOrEqual(500);
});
