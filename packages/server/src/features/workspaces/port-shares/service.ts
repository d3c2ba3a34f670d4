import type {
  DeletePortShareRequest,
  PortShare,
  PortShareRequest,
} from "@slipway/api/workspaces/port-share-routes";
import type { Transaction } from "kysely";

import type { Database } from "../../../platform/db/database.ts";
import type { DB } from "../../../platform/db/gen/schema.ts";
import { inTransaction } from "../../../platform/db/transaction.ts";
import { Conflict, type Invalid, invalidField, NotFound } from "../../../platform/errors/errors.ts";
import type { UserCaller } from "../../../platform/http/caller.ts";
import type { Platform } from "../../../platform/platform.ts";
import { topics } from "../../../platform/pubsub/pubsub.ts";
import { diffOf, recordAudit } from "../../audit/service.ts";
import { lockAuthorized } from "../../builds/lock-service.ts";
import type { WorkspaceRow } from "../queries.ts";
import { refusePrebuild, requireChangeable, requireWorkspace } from "../service.ts";
import { isWiderThan } from "./levels.ts";
import {
  deletePortShare,
  selectPortShare,
  selectPortShares,
  selectShareContext,
  type SharedPort,
  upsertPortShare,
} from "./queries.ts";

export type PortShareNeeds = Pick<Platform, "db" | "pubsub">;

/** The most ports of a workspace that can be shared at a time. */
export const maxPortShares = 128;

/** Lists the shared ports of a workspace that the caller may see. */
export async function listShares(
  db: Database,
  caller: UserCaller,
  workspaceId: string,
): Promise<readonly PortShare[]> {
  const { id } = await requireWorkspace(db, caller, workspaceId);
  return selectPortShares(db, id);
}

/**
 * Shares a port, or changes how it is shared. Throws `Invalid` for a level that the template does not allow and for an
 * unknown agent, `Conflict` for a prebuild and for too many shares.
 */
export async function sharePort(
  needs: PortShareNeeds,
  caller: UserCaller,
  workspaceId: string,
  request: PortShareRequest,
): Promise<PortShare> {
  const { port, protocol = "http", share_level: level } = request;
  const workspace = await requireChangeable(needs.db, caller, workspaceId);
  refusePrebuild(workspace);
  if (level === "owner") throw levelNotAllowed(ownerNeedsNoShare);
  const shared = { workspaceId: workspace.id, agentName: request.agent_name, port };
  return change(needs, caller, workspace, shared, async (trx, before) => {
    await requireShareable(trx, shared, request, before);
    await upsertPortShare(trx, { ...shared, ownerId: workspace.owner_id, level, protocol });
    return {
      workspace_id: workspace.id,
      agent_name: shared.agentName,
      port,
      share_level: level,
      protocol,
    };
  });
}

/** Stops sharing a port; throws `NotFound` for one that is not shared. */
export async function unsharePort(
  needs: PortShareNeeds,
  caller: UserCaller,
  workspaceId: string,
  { agent_name: agentName, port }: DeletePortShareRequest,
): Promise<void> {
  const workspace = await requireChangeable(needs.db, caller, workspaceId);
  const shared = { workspaceId: workspace.id, agentName, port };
  await change(needs, caller, workspace, shared, async (trx, before) => {
    if (before === undefined) throw new NotFound("Port share not found.");
    await deletePortShare(trx, shared);
    return undefined;
  });
}

/** Writes the change of a share with its audit entry; then hints. A port without a share counts as `owner`. */
async function change<T extends PortShare | undefined>(
  { db, pubsub }: PortShareNeeds,
  caller: UserCaller,
  row: WorkspaceRow,
  shared: SharedPort,
  write: (trx: Transaction<DB>, before: PortShare | undefined) => Promise<T>,
): Promise<T> {
  const written = await inTransaction(db, async (trx) => {
    await lockAuthorized(trx, { id: row.id, ownerId: row.owner_id });
    const before = await selectPortShare(trx, shared);
    const after = await write(trx, before);
    const { agentName, port } = shared;
    await recordAudit(trx, {
      by: caller,
      organizationId: row.organization_id,
      action: "write",
      resourceType: "workspace",
      resourceId: row.id,
      target: row.name,
      diff: diffOf(howShared(before), howShared(after)),
      fields: { workspace_owner: row.owner_name, agent_name: agentName, port },
    });
    return after;
  });
  pubsub.publish(topics.workspace(row.id));
  return written;
}

function howShared(share: PortShare | undefined): Readonly<Record<string, unknown>> {
  return {
    port_share_level: share?.share_level ?? "owner",
    port_protocol: share?.protocol ?? null,
  };
}

async function requireShareable(
  trx: Transaction<DB>,
  { workspaceId, agentName }: SharedPort,
  { share_level: level }: PortShareRequest,
  before: PortShare | undefined,
): Promise<void> {
  const { maxLevel, agentNames, shareCount } = await selectShareContext(trx, workspaceId);
  if (isWiderThan(level, maxLevel)) {
    throw levelNotAllowed(`the template allows at most ${maxLevel}, found ${level}`);
  }
  if (!agentNames.includes(agentName)) throw agentNotFound(agentName, agentNames);
  if (before === undefined && shareCount >= maxPortShares) {
    throw new Conflict(`The limit of ${maxPortShares} shared ports per workspace is reached.`, {
      detail: "Stop sharing a port first.",
    });
  }
}

const ownerNeedsNoShare =
  "must be organization, authenticated or public; to share a port no longer, delete its share";

function levelNotAllowed(detail: string): Invalid {
  return invalidField("share_level", detail, "Port sharing level not allowed.");
}

function agentNotFound(name: string, names: readonly string[]): Invalid {
  const wanted =
    names.length === 0
      ? "the workspace has no agents now: start it first"
      : `must be one of ${names.join(", ")}`;
  return invalidField("agent_name", `${wanted}; found ${JSON.stringify(name)}`, "Agent not found.");
}
