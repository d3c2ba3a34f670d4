import { nilUuid } from "@slipway/api/contract/nil-uuid";
import type { JobStatus, ProvisionerJob } from "@slipway/api/jobs/job";
import type { JobsQuery } from "@slipway/api/jobs/provisioner";
import { type RawBuilder, sql, type SqlBool } from "kysely";

import { mayWriteTemplates } from "../auth/rights.ts";
import type { Queryable } from "../db/database.ts";
import { invalidField } from "../errors/errors.ts";
import { maxListLimit, readListLimit, splitList } from "../fields/paging.ts";
import { readUuid } from "../fields/uuid.ts";
import type { UserCaller } from "../http/caller.ts";
import { jobStatus } from "./job-sql.ts";
import { readJobs } from "./service.ts";

const knownStatuses: readonly JobStatus[] = [
  "pending",
  "running",
  "succeeded",
  "canceling",
  "canceled",
  "failed",
  "unknown",
];
/** The name of every server: it has an id only. */
const serverName = "slipway";
const maxIds = 200;

/**
 * Lists the jobs of an organization that the caller may see, newest first; a user who may not write templates sees only
 * their own.
 */
export async function listJobs(
  db: Queryable,
  caller: UserCaller,
  organizationId: string,
  query: JobsQuery,
): Promise<ProvisionerJob[]> {
  const wanted = isSet(query.initiator) ? readId("initiator", query.initiator) : undefined;
  const initiatorId = mayWriteTemplates(caller) ? wanted : caller.id;
  if (wanted !== undefined && initiatorId !== wanted) return [];
  const rows = await selectJobList(db, {
    organizationId,
    initiatorId,
    ids: isSet(query.ids)
      ? splitList(query.ids)
          .slice(0, maxIds)
          .map((id) => readId("ids", id))
      : undefined,
    statuses: isSet(query.status) ? splitList(query.status).map(readStatus) : undefined,
    limit: readListLimit(query.limit),
  });
  return describe(db, rows);
}

/** Returns jobs of an organization by their ids, with their subjects. */
export async function describeJobs(
  db: Queryable,
  organizationId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ProvisionerJob>> {
  const filter = {
    organizationId,
    initiatorId: undefined,
    statuses: undefined,
    limit: maxListLimit,
  };
  const jobs = await describe(db, await selectJobList(db, { ...filter, ids }));
  return new Map(jobs.map((job) => [job.id, job]));
}

async function describe(db: Queryable, rows: readonly ListedJobRow[]): Promise<ProvisionerJob[]> {
  const jobs = await readJobs(
    db,
    rows.map((row) => row.id),
  );
  return rows.flatMap((row) => {
    const job = jobs.get(row.id);
    if (job === undefined) return [];
    const name = row.provisioner_name ?? serverName;
    const worker = job.worker_id === undefined ? {} : { worker_name: name };
    return [{ ...job, ...worker, metadata: metadataOf(row) }];
  });
}

function metadataOf(row: ListedJobRow): ProvisionerJob["metadata"] {
  return {
    template_version_name: row.version_name ?? "",
    template_id: row.template_id ?? nilUuid,
    template_name: row.template_name ?? "",
    template_display_name: row.template_display_name ?? "",
    template_icon: row.template_icon ?? "",
    ...(row.workspace_id === null ? {} : { workspace_id: row.workspace_id }),
    ...(row.workspace_name === null ? {} : { workspace_name: row.workspace_name }),
    ...(row.transition === null ? {} : { workspace_build_transition: row.transition }),
  };
}

function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== "";
}

function readId(field: string, text: string): string {
  const id = readUuid(text);
  if (id === undefined) throw invalidField(field, `must be a UUID, found "${text.slice(0, 60)}"`);
  return id;
}

function readStatus(text: string): JobStatus {
  const status = knownStatuses.find((known) => known === text);
  if (status !== undefined) return status;
  throw invalidField(
    "status",
    `must be one of ${knownStatuses.join(", ")}, found "${text.slice(0, 40)}"`,
  );
}

interface JobFilter {
  readonly organizationId: string;
  /** Undefined for all users. */
  readonly initiatorId: string | undefined;
  readonly ids: readonly string[] | undefined;
  readonly statuses: readonly JobStatus[] | undefined;
  readonly limit: number;
}

/** Returns ids of jobs, newest first, each with its subject. */
function selectJobList(db: Queryable, filter: JobFilter) {
  const { initiatorId, statuses } = filter;
  // An empty list of ids matches nothing: no job has the nil one.
  const ids = filter.ids && [...filter.ids, nilUuid];
  return db
    .selectFrom("jobs as job")
    .leftJoin("workspace_builds as build", "build.job_id", "job.id")
    .leftJoin("workspaces as w", "w.id", "build.workspace_id")
    .leftJoin("template_versions as v", (join) =>
      join.on(sql<SqlBool>`v.id = coalesce(build.template_version_id, job.template_version_id)`),
    )
    .leftJoin("templates as t", "t.id", "v.template_id")
    .leftJoin("workers as provisioner", (join) =>
      join.onRef("provisioner.id", "=", "job.worker_id").on("provisioner.key_id", "is not", null),
    )
    .where("job.organization_id", "=", filter.organizationId)
    .$if(initiatorId !== undefined, (all) => all.where("job.initiator_id", "=", initiatorId ?? ""))
    .$if(ids !== undefined, (all) => all.where("job.id", "in", ids ?? []))
    .$if(statuses !== undefined, (all) =>
      all
        .where(jobStatus("job").$castTo<JobStatus>(), "in", [...(statuses ?? [])])
        .where(indexedCondition(statuses ?? [])),
    )
    .orderBy("job.created_at", "desc")
    .orderBy("job.id")
    .limit(filter.limit)
    .select([
      "job.id",
      "v.name as version_name",
      "t.id as template_id",
      "t.name as template_name",
      "t.display_name as template_display_name",
      "t.icon as template_icon",
      "w.id as workspace_id",
      "w.name as workspace_name",
      "build.transition",
      "provisioner.name as provisioner_name",
    ])
    .execute();
}

const openStatuses = new Set<JobStatus>(["pending", "running", "canceling"]);

/** Returns a condition of an index that all jobs with these statuses meet. */
function indexedCondition(statuses: readonly JobStatus[]): RawBuilder<SqlBool> {
  if (statuses.every((status) => openStatuses.has(status))) {
    return sql<SqlBool>`job.completed_at is null`;
  }
  if (statuses.every((status) => status === "failed" || status === "canceled")) {
    return sql<SqlBool>`(job.completed_at is not null
      and (job.error is not null or job.canceled_at is not null))`;
  }
  return sql<SqlBool>`true`;
}

type ListedJobRow = Awaited<ReturnType<typeof selectJobList>>[number];
