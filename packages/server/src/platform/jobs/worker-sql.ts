import type { MatchedProvisioners } from "@slipway/api/jobs/provisioner";
import { type RawBuilder, sql } from "kysely";

import { apiTimestamp } from "../db/timestamp.ts";

/** The silence after which a worker is offline: three missed announcements. */
const offlineSeconds = 90;

/** Returns the condition that a worker is offline; `worker` is the table's alias. A provisioner also says when it leaves. */
export function isOffline(worker: string): RawBuilder<boolean> {
  const { key, session, seen } = columnsOf(worker);
  return sql<boolean>`(${seen} < now() - make_interval(secs => ${sql.lit(offlineSeconds)})
    or (${key} is not null and ${session} is null))`;
}

/**
 * Returns the provisioners that can take a job with tags, as JSON; null for a job of the servers. `job` is the alias of its
 * table.
 */
export function matchedProvisioners(job: string): RawBuilder<MatchedProvisioners | null> {
  const tags = sql.ref(`${job}.tags`);
  return sql`(case when ${tags} <> '{}' then (
    select json_build_object(
        'count', count(*),
        'available', count(*) filter (where not ${isOffline("matched")}),
        'most_recently_seen', max(${apiTimestamp("matched.last_seen_at")}))
      from workers matched join provisioner_keys matched_key on matched_key.id = matched.key_id
      where ${tags} <@ matched.tags and matched_key.organization_id = ${sql.ref(`${job}.organization_id`)}) end)`;
}

function columnsOf(worker: string) {
  return {
    key: sql.ref(`${worker}.key_id`),
    session: sql.ref(`${worker}.session_id`),
    seen: sql.ref(`${worker}.last_seen_at`),
  };
}
