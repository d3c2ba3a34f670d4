import type { Clock } from "@slipway/runtime";

import { mayActFor } from "../../../platform/auth/rights.ts";
import type { Database } from "../../../platform/db/database.ts";
import { Invalid, notFound, Unreachable } from "../../../platform/errors/errors.ts";
import type { UserCaller } from "../../../platform/http/caller.ts";
import { requireUuid } from "../../../platform/http/uuid.ts";
import { connectionProblem, requireAgentPlace } from "../service.ts";

export interface ReachNeeds {
  readonly db: Database;
  readonly clock: Clock;
}

/** Requires an agent that the user may see and that is connected. */
export async function requireConnected(
  { db, clock }: ReachNeeds,
  user: UserCaller,
  agent: string,
): Promise<void> {
  const problem = await connectionProblem(db, user, requireUuid(agent), clock.now());
  if (problem !== undefined) throw new Invalid(problem);
}

/**
 * Requires more than permission to see a workspace: the permission to connect to it (docs/protocol/clients.md §6). Resolves to
 * its owner.
 */
export async function requireReachable(
  db: Database,
  user: UserCaller,
  agent: string,
): Promise<string> {
  const { owner_id: ownerId } = await requireAgentPlace(db, user, requireUuid(agent));
  if (!mayActFor(user, ownerId)) throw notFound();
  return ownerId;
}

/** Creates the error of docs/protocol/rest.md §6.5 of requests that change or follow containers: there are none yet. */
export function noContainers(): Unreachable {
  return new Unreachable("Internal error dialing workspace agent.", {
    detail: "this server does not reach containers of workspaces yet",
  });
}
