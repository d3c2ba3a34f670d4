import { errorText } from "@slipway/runtime";
import { sql } from "kysely";

import type { ConnectionNotices } from "../../features/notifications/inbox-service.ts";
import { selectLiveKeys } from "../../platform/auth/queries.ts";
import { mayActFor } from "../../platform/auth/rights.ts";
import type { TokenLimits } from "../../platform/auth/token-lifetime.ts";
import type { Queryable } from "../../platform/db/database.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import type { Platform } from "../../platform/platform.ts";
import { watchAll } from "../../platform/pubsub/watch-all.ts";
import type { AbsentClient, AbsentFilter } from "../coordinator/absent-clients.ts";

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
 * The clients without a session that may return. Every replica checks their rights periodically, and one of them when
 * something changes; the tables list them, so no replica has to remember which ones it lost, how often, and for how long.
 */
export interface AbsentClients {
  /** True on the replica that checks them when something changes. */
  readonly isOnDuty: boolean;
  /** Yields those that match, in pages. */
  readAbsent(which: AbsentFilter): AsyncIterable<readonly AbsentClient[]>;
  removeAbsent(clients: readonly AbsentClient[]): Promise<void>;
  removeAbsentTunnels(tunnels: readonly Tunnel[]): Promise<void>;
}

interface Tunnel {
  readonly source: string;
  readonly destination: string;
}

/** The interval of checks of all clients, for keys that expired and hints that were lost. */
const repeatMs = 15_000;
/** The time in which hints at builds gather: many workspaces may change together. */
const gatherMs = 500;
/** The number of agents that are checked at once: the server does other work between two pages. */
const pageSize = 1_000;

/**
 * Ends the access of clients whose key or rights have ended. It would last otherwise: an agent keeps a peer for as long
 * as the peer makes handshakes.
 */
export class ClientAccess {
  readonly #needs: ClientAccessNeeds;
  readonly #clients = new Set<Client>();
  /** The workspaces of agents that were checked since the last check of all clients, by the agent's id. */
  readonly #workspaces = new Map<string, string>();

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
    const agent = (await selectAgents(db, [agentId])).get(agentId);
    if (agent === undefined || !mayReachAgent(user, agent)) return false;
    notices.tell({ actorId: user.id, ownerId: agent.owner_id, agentId });
    return true;
  }

  /** Checks clients now; resolves to those whose access is unchanged. */
  async check(clients: readonly Client[]): Promise<ReadonlySet<Client>> {
    const { db, limits } = this.#needs;
    const asked = new Set(clients.flatMap(({ agents }) => [...agents]));
    const keyIds = [...new Set(clients.map(({ user }) => user.keyId))];
    const [keys, found] = await Promise.all([
      selectLiveKeys(db, keyIds, limits),
      asked.size === 0 ? new Map<string, ReachedAgent>() : selectAgents(db, [...asked]),
    ]);
    for (const [id, agent] of found) this.#workspaces.set(id, agent.workspace_id);
    const roles = new Map(keys.map((key) => [key.id, key.roles.toSorted().join()]));
    const good = new Set<Client>();
    for (const client of clients) {
      const { user, agents } = client;
      if (roles.get(user.keyId) !== user.roles.toSorted().join()) {
        client.endAll();
        continue;
      }
      // An agent that was added in the meantime was also checked in the meantime.
      const lost = [...agents].filter((id) => asked.has(id) && !mayReachAgent(user, found.get(id)));
      for (const id of lost) client.endOne(id);
      if (lost.length === 0) good.add(client);
    }
    return good;
  }

  /** Checks clients of this replica in pages. */
  async #checkAll(clients: Iterable<Client>): Promise<void> {
    let page: Client[] = [];
    let agents = 0;
    for (const client of clients) {
      page.push(client);
      agents += client.agents.size;
      if (agents + page.length < pageSize) continue;
      await this.check(page);
      page = [];
      agents = 0;
    }
    if (page.length > 0) await this.check(page);
  }

  /** Removes absent clients that may not return, immediately rather than after the grace period. */
  async #checkAbsent(which: AbsentFilter): Promise<void> {
    for await (const clients of this.#needs.absent.readAbsent(which))
      await this.#checkAbsentPage(clients);
  }

  async #checkAbsentPage(clients: readonly AbsentClient[]): Promise<void> {
    const { db, limits, absent } = this.#needs;
    const [keys, found] = await Promise.all([
      selectLiveKeys(db, [...new Set(clients.map(({ keyId }) => keyId))], limits),
      selectAgents(db, [...new Set(clients.flatMap(({ agents }) => [...agents]))]),
    ]);
    const roles = new Map(keys.map((key) => [key.id, key.roles]));
    const gone = clients.filter(({ keyId }) => !roles.has(keyId));
    const closed = clients.flatMap(({ id, userId, keyId, agents }) => {
      const user = { id: userId, roles: roles.get(keyId) ?? [] };
      return agents
        .filter((agent) => !mayReachAgent(user, found.get(agent)))
        .map((agent) => ({ source: id, destination: agent }));
    });
    if (gone.length > 0) await absent.removeAbsent(gone);
    if (closed.length > 0) await absent.removeAbsentTunnels(closed);
  }

  /** Checks clients whose rights may have changed, and all repeatedly, until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#followSessions(signal), this.#followBuilds(signal)]);
  }

  /** Checks the clients of users whose sessions or roles have changed, and at times all. */
  async #followSessions(signal: AbortSignal): Promise<void> {
    const { pubsub, clock } = this.#needs;
    const looks = watchAll({ pubsub, kind: "sessions", maxWaitMs: repeatMs, clock, signal });
    for await (const users of looks) {
      await this.#attempt(signal, async () => {
        if (users === "all") {
          this.#workspaces.clear();
          await this.#checkAll([...this.#clients]);
          await this.#checkAbsent({});
          return;
        }
        await this.#checkAll([...this.#clients].filter(({ user }) => users.has(user.id)));
        if (this.#needs.absent.isOnDuty) await this.#checkAbsent({ userIds: [...users] });
      });
    }
  }

  /** Checks the clients of workspaces that were built, claimed or deleted; reads nothing if there are none. */
  async #followBuilds(signal: AbortSignal): Promise<void> {
    const { pubsub, clock, absent } = this.#needs;
    const looks = watchAll({ pubsub, kind: "builds", maxWaitMs: repeatMs, clock, signal });
    for await (const workspaces of looks) {
      // The other loop checks all.
      if (workspaces === "all") continue;
      await this.#attempt(signal, async () => {
        await this.#checkAll(
          [...this.#clients].filter(({ agents }) => this.#reachesAny(agents, workspaces)),
        );
        if (absent.isOnDuty) await this.#checkAbsent({ workspaceIds: [...workspaces] });
      });
      await clock.sleep(gatherMs, signal);
    }
  }

  /** Returns whether one of the agents is of one of the workspaces, or not known yet. */
  #reachesAny(agents: Iterable<string>, workspaces: ReadonlySet<string>): boolean {
    for (const id of agents) {
      const workspaceId = this.#workspaces.get(id);
      if (workspaceId === undefined || workspaces.has(workspaceId)) return true;
    }
    return false;
  }

  async #attempt(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      signal.throwIfAborted();
      const fields = { error: errorText(error) };
      this.#needs.logger.warn(fields, "cannot check the rights of clients");
    }
  }
}

/** Returns whether a user may reach an agent; false for one that is gone. */
function mayReachAgent(
  user: Pick<UserCaller, "id" | "roles">,
  agent: ReachedAgent | undefined,
): boolean {
  return agent !== undefined && mayActFor(user, agent.owner_id);
}

interface ReachedAgent {
  readonly workspace_id: string;
  readonly owner_id: string;
}

/** Selects agents' workspaces and their owners; leaves out agents that are deleted, or whose workspaces are. */
async function selectAgents(
  db: Queryable,
  agentIds: readonly string[],
): Promise<ReadonlyMap<string, ReachedAgent>> {
  const rows = await db
    .selectFrom("workspace_agents as agent")
    .innerJoin("workspace_builds as build", "build.id", "agent.workspace_build_id")
    .innerJoin("workspaces as workspace", "workspace.id", "build.workspace_id")
    .where(sql<boolean>`agent.id = any(${sql.val([...agentIds])}::uuid[])`)
    .where("agent.deleted", "=", sql.lit(false))
    .where("workspace.deleted", "=", sql.lit(false))
    .select(["agent.id", "workspace.id as workspace_id", "workspace.owner_id"])
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}
