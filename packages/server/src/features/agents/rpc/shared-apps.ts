import type { Transaction } from "kysely";

import type { DB } from "../../../platform/db/gen/schema.ts";
import type { AgentCaller } from "../../../platform/http/caller.ts";
import { diffOf, recordAudit } from "../../audit/service.ts";
import type { CheckedApp } from "./sub-agent-apps.ts";

/**
 * Records in the audit trail that an agent published apps which others than the owner of its workspace may open, as far as the
 * template allows.
 */
export async function recordSharedApps(
  trx: Transaction<DB>,
  { workspaceId, ownerId }: Pick<AgentCaller, "workspaceId" | "ownerId">,
  { agentName, apps }: { readonly agentName: string; readonly apps: readonly CheckedApp[] },
): Promise<void> {
  const shared = apps.filter(({ sharing_level: level }) => level !== "owner");
  if (shared.length === 0) return;
  const workspace = await trx
    .selectFrom("workspaces as w")
    .innerJoin("users as owner", "owner.id", "w.owner_id")
    .where("w.id", "=", workspaceId)
    .select(["w.name", "w.organization_id", "owner.username as owner_name"])
    .executeTakeFirstOrThrow();
  const levels = Object.fromEntries(
    shared.map(({ slug, sharing_level: level }) => [slug, level] as const),
  );
  await recordAudit(trx, {
    by: { id: ownerId, origin: undefined },
    organizationId: workspace.organization_id,
    action: "write",
    resourceType: "workspace",
    resourceId: workspaceId,
    target: workspace.name,
    diff: diffOf({}, { app_share_levels: levels }),
    fields: { workspace_owner: workspace.owner_name, agent_name: agentName },
  });
}
