import { errorText } from "@slipway/runtime";
import { sql } from "kysely";

import type { ConnectionNotices } from "../../features/notifications/inbox-service.ts";
import { selectLiveKeys } from "../../platform/auth/queries.ts";
import { mayActFor } from "../../platform/auth/rights.ts";
import type { TokenLimits } from "../../platform/auth/token-lifetime.ts";
import type { Queryable } from "../../platform/db/database.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import type { Platform } from "../../platform/platform.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import { watch } from "../../platform/pubsub/watch.ts";
import type { AbsentClient } from "../coordinator/absent-clients.ts";

/** A client whose session is open here. */
export interface Client {
  readonly user: UserCaller;
  /** The agents that it reaches. */
  readonly agents: ReadonlySet<string>;
  /** Called when the client may no longer reach anything. */
  readonly endAll: () => void;
  /** Called when the client may no longer reach one of its agents. */
  readonly endOne: (agentId: string) => void;
}

interface ClientAccessNeeds extends Platform {
  readonly limits: TokenLimits;
  readonly absent: AbsentClients;
  readonly notices: Pick<ConnectionNotices, "tell">;
}

/**
 * The clients without a session that may return. Every replica checks their rights; the tables list them, so no replica
 * has to remember which ones it lost, how often, and for how long.
 */
export interface AbsentClients {
  /** Yields all of them, in pages. */
  readAbsent(): AsyncIterable<readonly AbsentClient[]>;
  removeAbsent(clients: readonly AbsentClient[]): Promise<void>;
  removeAbsentTunnels(tunnels: readonly Tunnel[]): Promise<void>;
}

interface Tunnel {
  readonly source: string;
  readonly destination: string;
}

/** The interval of checks without a hint. */
const repeatMs = 5_000;

/**
 * Ends the access of clients whose key or rights have ended. It would last otherwise: an agent keeps a peer for as long
 * as the peer makes handshakes.
 */
export class ClientAccess {
  readonly #needs: ClientAccessNeeds;
  readonly #clients = new Set<Client>();

  constructor(needs: ClientAccessNeeds) {
    this.#needs = needs;
  }

  /** Watches a client until the result is disposed of; the peer that its calls leave behind is watched separately. */
  hold(client: Client): Disposable {
    this.#clients.add(client);
    return { [Symbol.dispose]: () => void this.#clients.delete(client) };
  }

  /**
   * Returns whether a user may reach an agent, with the rights that they had when they connected; notifies the owner of
   * the agent's workspace of another user.
   */
  async mayReach(user: UserCaller, agentId: string): Promise<boolean> {
    const { db, notices } = this.#needs;
    const owner = (await selectAgentOwners(db, [agentId])).get(agentId);
    if (owner === undefined || !mayReachAgentOf(user, owner)) return false;
    notices.tell({ actorId: user.id, ownerId: owner, agentId });
    return true;
  }

  /** Checks clients now; resolves to those whose access is unchanged. */
  async check(clients: readonly Client[]): Promise<ReadonlySet<Client>> {
    const { db, limits } = this.#needs;
    const asked = new Set(clients.flatMap(({ agents }) => [...agents]));
    const keyIds = [...new Set(clients.map(({ user }) => user.keyId))];
    const [keys, owners] = await Promise.all([
      selectLiveKeys(db, keyIds, limits),
      asked.size === 0 ? new Map<string, string>() : selectAgentOwners(db, [...asked]),
    ]);
    const roles = new Map(keys.map((key) => [key.id, key.roles.toSorted().join()]));
    const good = new Set<Client>();
    for (const client of clients) {
      const { user, agents } = client;
      if (roles.get(user.keyId) !== user.roles.toSorted().join()) {
        client.endAll();
        continue;
      }
      // An agent that was added in the meantime was also checked in the meantime.
      const lost = [...agents].filter(
        (id) => asked.has(id) && !mayReachAgentOf(user, owners.get(id)),
      );
      for (const id of lost) client.endOne(id);
      if (lost.length === 0) good.add(client);
    }
    return good;
  }

  /** Removes absent clients that may not return, immediately rather than after the grace period. */
  async #checkAbsent(): Promise<void> {
    for await (const clients of this.#needs.absent.readAbsent()) await this.#checkPage(clients);
  }

  async #checkPage(clients: readonly AbsentClient[]): Promise<void> {
    const { db, limits, absent } = this.#needs;
    const [keys, owners] = await Promise.all([
      selectLiveKeys(db, [...new Set(clients.map(({ keyId }) => keyId))], limits),
      selectAgentOwners(db, [...new Set(clients.flatMap(({ agents }) => [...agents]))]),
    ]);
    const roles = new Map(keys.map((key) => [key.id, key.roles]));
    const gone = clients.filter(({ keyId }) => !roles.has(keyId));
    const closed = clients.flatMap(({ id, userId, keyId, agents }) => {
      const user = { id: userId, roles: roles.get(keyId) ?? [] };
      return agents
        .filter((agent) => !mayReachAgentOf(user, owners.get(agent)))
        .map((agent) => ({ source: id, destination: agent }));
    });
    if (gone.length > 0) await absent.removeAbsent(gone);
    if (closed.length > 0) await absent.removeAbsentTunnels(closed);
  }

  /** Checks all clients repeatedly, until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { pubsub, clock, logger } = this.#needs;
    const looks = watch({ pubsub, topics: [topics.sessions], maxWaitMs: repeatMs, clock, signal });
    for await (const _ of looks) {
      try {
        if (this.#clients.size > 0) await this.check([...this.#clients]);
        await this.#checkAbsent();
      } catch (error) {
        signal.throwIfAborted();
        logger.warn({ error: errorText(error) }, "cannot check the rights of clients");
      }
    }
  }
}

/** Returns whether a user may reach an agent of an owner's workspace; false for an agent that is gone. */
function mayReachAgentOf(
  user: Pick<UserCaller, "id" | "roles">,
  owner: string | undefined,
): boolean {
  return owner !== undefined && mayActFor(user, owner);
}

/** Selects the owners of agents' workspaces; agents that are deleted, or whose workspaces are, have none. */
async function selectAgentOwners(
  db: Queryable,
  agentIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await db
    .selectFrom("workspace_agents as agent")
    .innerJoin("workspace_builds as build", "build.id", "agent.workspace_build_id")
    .innerJoin("workspaces as workspace", "workspace.id", "build.workspace_id")
    .where(sql<boolean>`agent.id = any(${sql.val([...agentIds])}::uuid[])`)
    .where("agent.deleted", "=", sql.lit(false))
    .where("workspace.deleted", "=", sql.lit(false))
    .select(["agent.id", "workspace.owner_id"])
    .execute();
  return new Map(rows.map((row) => [row.id, row.owner_id]));
}
