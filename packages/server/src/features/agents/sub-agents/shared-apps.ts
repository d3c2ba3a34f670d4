import type { Transaction } from "kysely";

import type { DB } from "../../../platform/db/gen/schema.ts";
import { diffOf, recordAudit } from "../../audit/service.ts";

/** An app of an agent, and who may open it as far as the template allows. */
interface SharedApp {
  readonly slug: string;
  readonly sharing_level: string;
}

interface SharedAppsChange {
  readonly agentName: string;
  /** True if the agent publishes the apps, false if they end with it. */
  readonly isPublished: boolean;
  readonly apps: readonly SharedApp[];
}

/**
 * Records in the audit trail, on behalf of the workspace's current owner, that an agent published apps that others may
 * open, or that these apps ended with it.
 */
export async function recordSharedApps(
  trx: Transaction<DB>,
  workspaceId: string,
  { agentName, isPublished, apps }: SharedAppsChange,
): Promise<void> {
  const shared = apps.filter(({ sharing_level: level }) => level !== "owner");
  if (shared.length === 0) return;
  const workspace = await trx
    .selectFrom("workspaces as w")
    .innerJoin("users as owner", "owner.id", "w.owner_id")
    .where("w.id", "=", workspaceId)
    .select(["w.name", "w.organization_id", "w.owner_id", "owner.username as owner_name"])
    .executeTakeFirstOrThrow();
  const levels = Object.fromEntries(
    shared.map(({ slug, sharing_level: level }) => [slug, level] as const),
  );
  await recordAudit(trx, {
    by: { id: workspace.owner_id, origin: undefined },
    organizationId: workspace.organization_id,
    action: "write",
    resourceType: "workspace",
    resourceId: workspaceId,
    target: workspace.name,
    diff: isPublished
      ? diffOf({}, { app_share_levels: levels })
      : diffOf({ app_share_levels: levels }, { app_share_levels: null }),
    fields: { workspace_owner: workspace.owner_name, agent_name: agentName },
  });
}
