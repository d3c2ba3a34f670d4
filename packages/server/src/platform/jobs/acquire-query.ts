import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import { type RawBuilder, sql } from "kysely";

import type { Queryable } from "../db/database.ts";
import { prepareQuery } from "../db/prepared-query.ts";
import { leaseSeconds } from "./queries.ts";
import type { JobTags } from "./tags.ts";

/**
 * Takes the oldest job without tags that is pending, whose lease expired, or that this server held before it restarted; or a
 * canceled one whose provisioner has not come back, to end it. `active` are this worker's current jobs. System jobs have the
 * lowest priority.
 */
export async function acquireJob(
  db: Queryable,
  workerId: string,
  active: readonly string[],
): Promise<AcquiredJob | undefined> {
  const [job] = await acquiredByServer(db, workerId, active);
  return job;
}

/** A session of a provisioner, which takes jobs of its organization. */
export interface ProvisionerSession {
  readonly workerId: string;
  readonly sessionId: string;
  readonly organizationId: string;
  readonly tags: JobTags;
}

/** Takes a job all of whose tags the provisioner has, in the same order; none if another session of it began later. */
export async function acquireTaggedJob(
  db: Queryable,
  { workerId, sessionId, organizationId, tags }: ProvisionerSession,
  active: readonly string[],
): Promise<AcquiredJob | undefined> {
  const json = JSON.stringify(tags);
  const [job] = await acquiredByProvisioner(db, workerId, active, sessionId, organizationId, json);
  return job;
}

/** The time after a lease in which a provisioner may come back to a canceled job. */
const lostSeconds = 600;

const acquiredByServer = prepareQuery((db, workerId: string, active: readonly string[]) =>
  acquisition(
    db,
    workerId,
    active,
    sql<boolean>`(only_worker_id is null or only_worker_id = ${workerId}) and (tags = '{}'
      or canceled_at is not null and lease_until < now() - make_interval(secs => ${lostSeconds}))`,
  ),
);

const acquiredByProvisioner = prepareQuery(
  (
    db,
    workerId: string,
    active: readonly string[],
    sessionId: string,
    organizationId: string,
    tags: string,
  ) =>
    acquisition(
      db,
      workerId,
      active,
      sql<boolean>`tags <> '{}' and tags <@ ${tags}::jsonb and organization_id = ${organizationId}
        and exists (select from workers where id = ${workerId} and session_id = ${sessionId})`,
    ),
);

function acquisition(
  db: Queryable,
  workerId: string,
  active: readonly string[],
  isMeant: RawBuilder<boolean>,
) {
  return db
    .updateTable("jobs")
    .set({
      worker_id: workerId,
      started_at: sql`coalesce(started_at, now())`,
      lease_until: sql`now() + make_interval(secs => ${leaseSeconds})`,
      attempt: sql`attempt + 1`,
      updated_at: sql`now()`,
    })
    .where("id", "=", (eb) =>
      eb
        .selectFrom("jobs")
        .where("completed_at", "is", null)
        // Even if it could not renew their leases for a while.
        .where(sql<boolean>`id <> all(${active}::uuid[])`)
        .where(isMeant)
        .where((or) =>
          or.or([
            or("worker_id", "is", null),
            or("lease_until", "<", sql<string>`now()`),
            or("worker_id", "=", workerId),
          ]),
        )
        .orderBy(sql`initiator_id = ${sql.lit(prebuildsUserId)}`)
        .orderBy("created_at")
        .limit(1)
        .forUpdate()
        .skipLocked()
        .select("id"),
    )
    .returning([
      "id",
      "type",
      "file_id",
      "initiator_id",
      "template_version_id",
      "workspace_id",
      "created_at",
      "canceled_at",
      "attempt",
    ]);
}

/** A job in the hands of a worker. */
export type AcquiredJob = Awaited<ReturnType<ReturnType<typeof acquisition>["execute"]>>[number];
