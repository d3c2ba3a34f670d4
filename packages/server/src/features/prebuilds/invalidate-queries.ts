import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";

export interface InvalidatedRow {
  readonly preset_name: string;
  readonly version_name: string;
}

/**
 * Stamps the presets with a pool of a template's active version. In whole milliseconds, the precision at which pools
 * are compared: what is built within the same millisecond stays.
 */
export async function stampInvalidated(
  db: Queryable,
  templateId: string,
): Promise<readonly InvalidatedRow[]> {
  const { rows } = await sql<InvalidatedRow>`
    update template_version_presets preset
      set last_invalidated_at = date_trunc('milliseconds', now())
      from templates t join template_versions v on v.id = t.active_version_id
      where t.id = ${templateId} and preset.template_version_id = v.id
        and preset.desired_instances is not null
      returning preset.name as preset_name, v.name as version_name`.execute(db);
  return rows;
}
