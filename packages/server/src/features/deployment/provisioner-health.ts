import type { ResponseOf } from "@slipway/api/contract/route";
import type { getHealthReport } from "@slipway/api/deployment/routes";
import { countText } from "@slipway/runtime";
import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import { type JobTags, tagsText } from "../../platform/jobs/tags.ts";
import { isOffline } from "../../platform/jobs/worker-sql.ts";

type Section = ResponseOf<typeof getHealthReport>["provisioner_daemons"];

/** The time that a job may wait for a provisioner before that counts: one may just be starting. */
const waitSeconds = 60;
/** The most tags of waiting jobs, and the most provisioners, that are named. */
const maxNamed = 10;

/** Reports whether provisioners are there for the jobs with tags, and whether they run the server's version. */
export async function checkProvisioners(db: Queryable, version: string): Promise<Section> {
  const [waiting, online] = await Promise.all([selectWaiting(db), selectOnline(db)]);
  const others = online.filter((one) => one.version !== version);
  const warnings = [
    ...waiting.slice(0, maxNamed).map(({ tags, jobs }) => ({
      code: "EPD01",
      message: `${countText(jobs, "job")} with the tags ${tagsText(tags)} waiting, and no provisioner with all of them is online`,
    })),
    ...others.slice(0, maxNamed).map((one) => ({
      code: "EPD02",
      message: `the provisioner ${one.name} runs ${one.version || "an unknown version"}, and the server ${version}`,
    })),
  ];
  return {
    healthy: true,
    severity: warnings.length === 0 ? "ok" : "warning",
    warnings,
    dismissed: false,
    online: online.length,
  };
}

async function selectWaiting(
  db: Queryable,
): Promise<readonly { readonly tags: JobTags; readonly jobs: number }[]> {
  const { rows } = await sql<{ readonly tags: JobTags; readonly jobs: number }>`
    select job.tags, count(*)::int as jobs from jobs job
      where job.completed_at is null and job.started_at is null and job.tags <> '{}'
        and job.created_at < now() - make_interval(secs => ${waitSeconds})
        and not exists (
          select from workers worker join provisioner_keys key on key.id = worker.key_id
            where job.tags <@ worker.tags and key.organization_id = job.organization_id
              and not ${isOffline("worker")})
      group by job.tags order by min(job.created_at)`.execute(db);
  return rows;
}

async function selectOnline(
  db: Queryable,
): Promise<readonly { readonly name: string; readonly version: string }[]> {
  const { rows } = await sql<{ readonly name: string; readonly version: string }>`
    select worker.name, worker.version from workers worker
      where worker.key_id is not null and not ${isOffline("worker")} order by worker.name`.execute(
    db,
  );
  return rows;
}
