import type { Queryable } from "../../platform/db/database.ts";

/** Selects the URLs of an agent's apps. */
export async function selectAppUrls(db: Queryable, agentId: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom("workspace_apps")
    .where("workspace_agent_id", "=", agentId)
    .where("url", "is not", null)
    .select("url")
    .execute();
  return rows.flatMap(({ url }) => url ?? []);
}
