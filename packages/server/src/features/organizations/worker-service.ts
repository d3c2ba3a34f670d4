import type { QueryOf } from "@slipway/api/contract/route";
import type { ProvisionerJob } from "@slipway/api/jobs/job";
import type { ProvisionerDaemon, WorkerStatus } from "@slipway/api/jobs/provisioner";
import type { listProvisionerDaemons } from "@slipway/api/organizations/provisioner-routes";
import { durationMs, errorText, spread } from "@slipway/runtime";
import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import { invalidField } from "../../platform/errors/errors.ts";
import { readListLimit, splitList } from "../../platform/fields/paging.ts";
import { describeJobs } from "../../platform/jobs/list-service.ts";
import { tagsJson } from "../../platform/jobs/tags.ts";
import { isOffline } from "../../platform/jobs/worker-sql.ts";
import type { Platform } from "../../platform/platform.ts";

const announceMs = 30_000;
/** The number of days after which a lost worker is deleted. */
const keepDays = 7;

/** Announces a server as a worker periodically until the signal is aborted. */
export async function announceWorker(
  { db, clock, logger }: Pick<Platform, "db" | "clock" | "logger">,
  worker: Worker,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      await upsertWorker(db, worker);
      await deleteLostWorkers(db, keepDays);
    } catch (error) {
      signal.throwIfAborted();
      logger.debug({ error: errorText(error) }, "cannot announce worker");
    }
    await clock.sleep(spread(announceMs), signal);
  }
}

type Query = QueryOf<typeof listProvisionerDaemons>;

/** Lists the servers and the provisioners of an organization; offline ones only on request. */
export async function listWorkers(
  db: Queryable,
  organizationId: string,
  query: Query,
): Promise<ProvisionerDaemon[]> {
  const isWanted = readFilter(query);
  const limit = readListLimit(query.limit);
  const rows = (await selectWorkers(db, organizationId)).filter(isWanted).slice(0, limit);
  const jobIds = rows.flatMap((row) => [row.present_job_id, row.previous_job_id]);
  const jobs = await describeJobs(
    db,
    organizationId,
    jobIds.filter((id) => id !== null),
  );
  return rows.map((row) => workerJson(row, organizationId, jobs));
}

function statusOf(worker: WorkerRow): WorkerStatus {
  if (worker.is_offline) return "offline";
  return worker.present_job_id === null ? "idle" : "busy";
}

function readFilter(query: Query): (row: WorkerRow) => boolean {
  const statuses = splitList(query.status);
  const wrong = statuses.find((status) => !workerStatuses.has(status));
  if (wrong !== undefined) {
    throw invalidField("status", `must be one of offline, idle, busy, found "${wrong}"`);
  }
  const ids = splitList(query.ids);
  const maxAge = readAge(query.max_age);
  const showsOffline = query.offline === "true" || statuses.includes("offline");
  return (row) =>
    (showsOffline || !row.is_offline) &&
    (statuses.length === 0 || statuses.includes(statusOf(row))) &&
    (ids.length === 0 || ids.includes(row.id)) &&
    row.age_seconds <= maxAge;
}

const workerStatuses: ReadonlySet<string> = new Set<WorkerStatus>(["offline", "idle", "busy"]);

/** Parses a Go duration such as `1h30m0s`, in seconds. */
function readAge(text = ""): number {
  if (text === "" || text === "0s") return Infinity;
  if (!/^(?:\d+(?:\.\d+)?(?:h|ms|m|s))+$/.test(text)) {
    throw invalidField("max_age", `must be a duration such as 8h, 30m or 1h30m, found "${text}"`);
  }
  return durationMs(text) / 1_000;
}

/** The id of the key that stock servers use for their own workers. */
const builtInKeyId = "00000000-0000-0000-0000-000000000001";

function workerJson(
  row: WorkerRow,
  organizationId: string,
  jobs: ReadonlyMap<string, ProvisionerJob>,
): ProvisionerDaemon {
  const status = statusOf(row);
  return {
    id: row.id,
    organization_id: organizationId,
    key_id: row.key_id ?? builtInKeyId,
    created_at: row.created_at,
    last_seen_at: row.last_seen_at,
    name: row.name,
    version: row.version,
    api_version: "1.18",
    provisioners: row.drivers,
    tags: tagsJson(row.tags),
    key_name: row.key_name ?? "built-in",
    status,
    current_job: status === "busy" ? jobOf(row.present_job_id, jobs) : null,
    previous_job: jobOf(row.previous_job_id, jobs),
  };
}

function jobOf(
  id: string | null,
  jobs: ReadonlyMap<string, ProvisionerJob>,
): ProvisionerDaemon["current_job"] {
  const job = jobs.get(id ?? "");
  if (job === undefined) return null;
  const { template_name, template_icon, template_display_name } = job.metadata;
  return { id: job.id, status: job.status, template_name, template_icon, template_display_name };
}

/** The announcement of a server as a worker. */
interface Worker {
  /** The id under which it takes jobs. */
  readonly id: string;
  /** The name of the host. */
  readonly name: string;
  readonly version: string;
  readonly drivers: readonly string[];
}

async function upsertWorker(db: Queryable, worker: Worker): Promise<void> {
  const { id, name, version } = worker;
  const row = { name, version, drivers: [...worker.drivers], last_seen_at: sql<string>`now()` };
  await db
    .insertInto("workers")
    .values({ id, ...row })
    .onConflict((conflict) => conflict.column("id").doUpdateSet(row))
    .execute();
}

/** Deletes the workers that were silent for `days` days. */
async function deleteLostWorkers(db: Queryable, days: number): Promise<void> {
  await db
    .deleteFrom("workers")
    .where("last_seen_at", "<", sql<string>`now() - make_interval(days => ${days})`)
    .execute();
}

/** Selects workers, most recently seen first, each with its newest open job and the one that ended last. */
function selectWorkers(db: Queryable, organizationId: string) {
  return db
    .selectFrom("workers as worker")
    .leftJoin("provisioner_keys as key", "key.id", "worker.key_id")
    .where((or) =>
      or.or([or("key.id", "is", null), or("key.organization_id", "=", organizationId)]),
    )
    .leftJoinLateral(
      (eb) =>
        eb
          .selectFrom("jobs")
          .whereRef("worker_id", "=", "worker.id")
          .where("completed_at", "is", null)
          .orderBy("started_at", "desc")
          .limit(1)
          .select("id")
          .as("present"),
      (join) => join.onTrue(),
    )
    .leftJoinLateral(
      (eb) =>
        eb
          .selectFrom("jobs")
          .whereRef("worker_id", "=", "worker.id")
          .where("completed_at", "is not", null)
          .orderBy("completed_at", "desc")
          .limit(1)
          .select("id")
          .as("previous"),
      (join) => join.onTrue(),
    )
    .orderBy("worker.last_seen_at", "desc")
    .orderBy("worker.id")
    .select([
      "worker.id",
      "worker.name",
      "worker.version",
      "worker.drivers",
      "worker.key_id",
      "worker.tags",
      "key.name as key_name",
      "worker.created_at",
      "worker.last_seen_at",
      "present.id as present_job_id",
      "previous.id as previous_job_id",
      sql<number>`extract(epoch from now() - worker.last_seen_at)::float8`.as("age_seconds"),
      isOffline("worker").as("is_offline"),
    ])
    .execute();
}

type WorkerRow = Awaited<ReturnType<typeof selectWorkers>>[number];
