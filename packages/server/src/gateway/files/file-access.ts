import type { QueryOf, Route } from "@slipway/api/contract/route";
import { printableLine } from "@slipway/runtime";

import {
  agentChangeEntry,
  type ReachNeeds,
  requireAgentPlace,
  requireConnected,
  requireReachable,
} from "../../features/agents/service.ts";
import type { AuditNotes } from "../../features/audit/note-service.ts";
import type { ConnectionNotices } from "../../features/notifications/inbox-service.ts";
import { requireUuid } from "../../platform/fields/uuid.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { queryText } from "../agent-http/agent-http.ts";

/** The maximum length of a path in an audit entry. */
const maxAuditedLength = 500;

export interface FileAccessNeeds extends ReachNeeds {
  readonly notices: Pick<ConnectionNotices, "tell">;
  readonly notes: Pick<AuditNotes, "record">;
}

/**
 * Requires the permission to use the files of an agent that is connected, which is that to connect to it. Notifies the
 * owner of the workspace if the user is someone else. Resolves to the agent's id.
 */
export async function requireFiles(
  needs: FileAccessNeeds,
  user: UserCaller,
  agent: string,
): Promise<string> {
  const ownerId = await requireReachable(needs.db, user, agent);
  const agentId = requireUuid(agent);
  await requireConnected(needs, user, agent);
  needs.notices.tell({ actorId: user.id, ownerId, agentId });
  return agentId;
}

/** A change of files that is about to be made. */
export interface FileChangeNote {
  readonly operation: "write" | "edit" | "move" | "remove" | "make directory" | "unpack";
  readonly path: string;
}

/** Records a change of files, never their content. */
export async function auditChange(
  { db, notes }: FileAccessNeeds,
  user: UserCaller,
  agentId: string,
  { operation, path }: FileChangeNote,
): Promise<void> {
  const place = await requireAgentPlace(db, user, agentId);
  const shownPath = printableLine(path.slice(0, maxAuditedLength));
  await notes.record(agentChangeEntry(user, agentId, place, { operation, path: shownPath }));
}

/** Returns the path of an agent's route for the route of users that has the same query. */
export function agentPath<R extends Route>(route: R, query: QueryOf<R>): string {
  return `${route.path.replace("/workspaceagents/:agent", "/api/v0")}${queryText(query)}`;
}
