import type { Queryable } from "../../../platform/db/database.ts";
import { forbidden } from "../../../platform/errors/errors.ts";
import type { AgentCaller } from "../../../platform/http/caller.ts";
import type { RequestOrigin } from "../../../platform/http/request-origin.ts";
import type { AuditNotes } from "../../audit/note-service.ts";
import { selectAgentPlace } from "./owner-queries.ts";

/** The workspace of an agent, as the audit trail names it. */
export interface AgentPlace {
  readonly organizationId: string;
  readonly workspaceName: string;
}

/**
 * Requires that the agent's owner is active. Call it first in every route by which an agent reads something that
 * belongs to its owner rather than to its workspace: the agents of a suspended owner keep running, but get none of the
 * owner's secrets. The manifest belongs to the workspace. Throws `Forbidden`.
 */
export async function requireActiveOwner(db: Queryable, agent: AgentCaller): Promise<AgentPlace> {
  const row = await selectAgentPlace(db, agent.workspaceId);
  if (row?.owner_status === "suspended") {
    throw forbidden("The owner of this workspace is suspended.");
  }
  return { organizationId: row?.organization_id ?? "", workspaceName: row?.name ?? "" };
}

/** Git requests the key at every fetch and push. */
const noteKeyOnceInMs = 3_600_000;

/** Records that an agent read its owner's private key, on the owner's behalf. */
export async function noteGitKeyRead(
  notes: AuditNotes,
  agent: AgentCaller,
  { organizationId, workspaceName }: AgentPlace,
  publicKey: string,
  origin: RequestOrigin,
): Promise<void> {
  await notes.record(
    {
      by: { id: agent.ownerId, origin },
      organizationId,
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
          workspace_name: workspaceName,
        },
      },
    },
    { key: `git key ${agent.agentId} ${agent.ownerId}`, onceInMs: noteKeyOnceInMs },
  );
}
