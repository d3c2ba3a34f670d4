import { type Clock, errorText, type Logger } from "@slipway/runtime";

import type { ConnectionNotices } from "../features/notifications/inbox-service.ts";
import { selectLiveKeys } from "../platform/auth/queries.ts";
import { mayActFor } from "../platform/auth/rights.ts";
import type { TokenLimits } from "../platform/auth/token-lifetime.ts";
import type { Queryable } from "../platform/db/database.ts";
import type { UserCaller } from "../platform/http/caller.ts";
import { type PubSub, topics } from "../platform/pubsub/pubsub.ts";
import { watch } from "../platform/pubsub/watch.ts";
import type { OrphanedClient } from "./coordinator/queries.ts";
import { selectAgentOwners } from "./queries.ts";

/** A client of the network: connected, or lost and perhaps coming back. */
export interface Client {
  readonly user: UserCaller;
  /** The agents that it reaches. */
  readonly agents: ReadonlySet<string>;
  /** Called when the client may reach nothing any more. */
  readonly endAll: () => void;
  /** Called when it may not reach one of its agents any more. */
  readonly endOne: (agentId: string) => void;
}

interface ClientAccessNeeds {
  readonly db: Queryable;
  readonly pubsub: PubSub;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: TokenLimits;
  readonly orphans: Orphans;
  readonly notices: Pick<ConnectionNotices, "tell">;
}

/** The clients of dead replicas, over whose rights every living one watches. */
export interface Orphans {
  readOrphans(): Promise<readonly OrphanedClient[]>;
  removeOrphans(ids: readonly string[]): Promise<void>;
}

/** The interval of checks without a hint. */
const repeatMs = 5_000;

/**
 * Ends the access of clients whose key or whose rights have ended. What has been told to agents would last otherwise:
 * an agent keeps a peer for as long as that makes handshakes.
 */
export class ClientAccess {
  readonly #needs: ClientAccessNeeds;
  readonly #clients = new Set<Client>();

  constructor(needs: ClientAccessNeeds) {
    this.#needs = needs;
  }

  /** Watches over a client until the result is disposed of. */
  hold(client: Client): Disposable {
    this.#clients.add(client);
    return { [Symbol.dispose]: () => void this.#clients.delete(client) };
  }

  /**
   * Returns whether a user may reach an agent, with the rights that they had when they connected; the owner of the agent's
   * workspace is told of another user.
   */
  async mayReach(user: UserCaller, agentId: string): Promise<boolean> {
    const { db, notices } = this.#needs;
    const owner = (await selectAgentOwners(db, [agentId])).get(agentId);
    if (owner === undefined || !mayActFor(user, owner)) return false;
    notices.tell({ actorId: user.id, ownerId: owner, agentId });
    return true;
  }

  /** Checks clients now; resolves to those that may go on as they are. */
  async check(clients: readonly Client[]): Promise<ReadonlySet<Client>> {
    const { db, limits } = this.#needs;
    const ids = [...new Set(clients.flatMap(({ agents }) => [...agents]))];
    const keyIds = [...new Set(clients.map(({ user }) => user.keyId))];
    const [keys, owners] = await Promise.all([
      selectLiveKeys(db, keyIds, limits),
      ids.length === 0 ? new Map<string, string>() : selectAgentOwners(db, ids),
    ]);
    const roles = new Map(keys.map((key) => [key.id, key.roles.toSorted().join()]));
    const good = new Set<Client>();
    for (const client of clients) {
      const { user, agents } = client;
      if (roles.get(user.keyId) !== user.roles.toSorted().join()) {
        client.endAll();
        continue;
      }
      const lost = [...agents].filter((id) => {
        const owner = owners.get(id);
        // One that was added meanwhile was checked meanwhile.
        return ids.includes(id) && (owner === undefined || !mayActFor(user, owner));
      });
      for (const id of lost) client.endOne(id);
      if (lost.length === 0) good.add(client);
    }
    return good;
  }

  /** Has the clients of dead replicas forgotten that may not come back, at once rather than after a time of grace. */
  async #checkOrphans(): Promise<void> {
    const { db, limits, orphans } = this.#needs;
    const clients = await orphans.readOrphans();
    if (clients.length === 0) return;
    const [keys, owners] = await Promise.all([
      selectLiveKeys(db, [...new Set(clients.map(({ keyId }) => keyId))], limits),
      selectAgentOwners(db, [...new Set(clients.flatMap(({ agents }) => [...agents]))]),
    ]);
    const roles = new Map(keys.map((key) => [key.id, key.roles]));
    const gone = clients.filter(({ userId, keyId, agents }) => {
      const present = roles.get(keyId);
      if (present === undefined) return true;
      return agents.some((id) => {
        const owner = owners.get(id);
        return owner === undefined || !mayActFor({ id: userId, roles: present }, owner);
      });
    });
    if (gone.length > 0) await orphans.removeOrphans(gone.map(({ id }) => id));
  }

  /** Checks all clients again and again, until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { pubsub, clock, logger } = this.#needs;
    const looks = watch({ pubsub, topics: [topics.sessions], maxWaitMs: repeatMs, clock, signal });
    for await (const _ of looks) {
      try {
        if (this.#clients.size > 0) await this.check([...this.#clients]);
        await this.#checkOrphans();
      } catch (error) {
        signal.throwIfAborted();
        logger.warn({ error: errorText(error) }, "rights of clients were not looked at");
      }
    }
  }
}
