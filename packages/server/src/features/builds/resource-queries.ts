import type { DriverResource } from "@slipway/drivers";
import { type RawBuilder, sql } from "kysely";

/** Selects the resources that the build of a job created, as its driver named them, with the root agents in each. */
export function driverResources(jobId: RawBuilder<string>): RawBuilder<readonly DriverResource[]> {
  return sql`(
    select coalesce(jsonb_agg(jsonb_build_object(
        'type', r.type, 'name', r.name, 'icon', r.icon,
        'agentNames', array(
          select a.name from workspace_agents a
            where a.resource_id = r.id and a.parent_id is null and not a.deleted
            order by a.name)) order by r.name), '[]')
      from workspace_resources r where r.job_id = ${jobId})`;
}
