import {
  getAgentExternalAuth,
  getAgentGitAuth,
  getAgentGitKey,
} from "@slipway/api/agents/owner-secret-routes";

import type { SecretBox } from "../../../platform/auth/secret-box.ts";
import type { Database, Queryable } from "../../../platform/db/database.ts";
import { forbidden } from "../../../platform/errors/errors.ts";
import type { AgentCaller } from "../../../platform/http/caller.ts";
import { watchClient } from "../../../platform/http/client-disconnect.ts";
import { originOf, type RequestOrigin } from "../../../platform/http/request-origin.ts";
import type { Routes } from "../../../platform/http/routes.ts";
import type { AuditNotes } from "../../audit/note-service.ts";
import { ensureGitKey } from "../../users/git-key-service.ts";
import { type AgentExternalAuthNeeds, readOwnerToken } from "./external-auth-service.ts";

/*
 * The secrets of the owner of a workspace that its agents read. The agents of a suspended owner keep running, but get
 * none of these secrets.
 */

/** Adds the routes that give an agent its owner's token of a provider (docs/protocol/rest.md §2.6). */
export function addOwnerTokenRoutes(routes: Routes, needs: AgentExternalAuthNeeds): void {
  for (const route of [getAgentExternalAuth, getAgentGitAuth]) {
    routes.agent(route, async ({ query, raw }, agent) => {
      using client = watchClient(raw);
      return await readOwnerToken(needs, agent, query, client.signal);
    });
  }
}

interface OwnerKeyNeeds {
  readonly db: Database;
  readonly secrets: SecretBox;
  readonly notes: AuditNotes;
}

/** Adds the route that gives an agent its owner's SSH key for Git (docs/protocol/rest.md §2.7). */
export function addOwnerKeyRoute(routes: Routes, { db, secrets, notes }: OwnerKeyNeeds): void {
  routes.agent(getAgentGitKey, async ({ raw }, agent) => {
    const workspace = await requireActiveOwner(db, agent);
    const { publicKey, privateKey } = await ensureGitKey(db, secrets, agent.ownerId);
    const origin = originOf(raw, getAgentGitKey.status);
    await noteKeyRead(notes, agent, { workspace, publicKey, origin });
    return { public_key: publicKey, private_key: privateKey };
  });
}

/** The workspace of an agent, as the audit trail names it. */
interface AuditedWorkspace {
  readonly organizationId: string;
  readonly name: string;
}

/** Requires that the agent's owner is active; throws `Forbidden`. */
async function requireActiveOwner(db: Queryable, agent: AgentCaller): Promise<AuditedWorkspace> {
  const row = await db
    .selectFrom("workspaces as workspace")
    .innerJoin("users as owner", "owner.id", "workspace.owner_id")
    .where("workspace.id", "=", agent.workspaceId)
    .select(["workspace.name", "workspace.organization_id", "owner.status as owner_status"])
    .executeTakeFirst();
  if (row?.owner_status === "suspended") {
    throw forbidden("The owner of this workspace is suspended.");
  }
  return { organizationId: row?.organization_id ?? "", name: row?.name ?? "" };
}

/** The interval at which reads of the key are audited: Git requests it at every fetch and push. */
const noteKeyOnceInMs = 3_600_000;

interface KeyAccess {
  readonly workspace: AuditedWorkspace;
  readonly publicKey: string;
  readonly origin: RequestOrigin;
}

/** Records that an agent read its owner's private key, on the owner's behalf. */
async function noteKeyRead(
  notes: AuditNotes,
  agent: AgentCaller,
  { workspace, publicKey, origin }: KeyAccess,
): Promise<void> {
  await notes.record(
    {
      by: { id: agent.ownerId, origin },
      organizationId: workspace.organizationId,
      action: "open",
      resourceType: "git_ssh_key",
      resourceId: agent.ownerId,
      target: publicKey,
      diff: {},
      fields: {
        agent: {
          id: agent.agentId,
          name: agent.agentName,
          workspace_id: agent.workspaceId,
          workspace_name: workspace.name,
        },
      },
    },
    { key: `git key ${agent.agentId} ${agent.ownerId}`, onceInMs: noteKeyOnceInMs },
  );
}
