import { Responder, type RpcTable } from "@slipway/rpc";
import { type Clock, type Logger, Turnstile } from "@slipway/runtime";

import type { WriteBudgets } from "../features/agents/rpc/write-budgets.ts";
import type { UserCaller } from "../platform/http/caller.ts";
import { keepAlive, type PeerSocket } from "../platform/http/peer-socket.ts";
import type { Client, ClientAccess } from "./client-access.ts";
import type { CoordinatedPeer } from "./coordinator/coordinate.ts";
import type { Coordinator } from "./coordinator/coordinator.ts";
import { clientPolicy, type TunnelCheck } from "./coordinator/peer-policy.ts";

/** A client before it is upgraded. */
export interface NewClient {
  readonly user: UserCaller;
  readonly peerId: string;
  /** The audience of its resume tokens. */
  readonly audience: string;
  /** The one agent that it may reach; undefined if it may reach several. */
  readonly agentId: string | undefined;
  readonly mayReach: TunnelCheck;
}

/** The state of a client's session, for its RPCs. */
export interface ClientCaller extends Pick<NewClient, "user" | "peerId" | "audience"> {
  /** Returns the client as a peer, for one call. */
  readonly peer: () => CoordinatedPeer;
  readonly logger: Logger;
}

export interface ClientSessionNeeds {
  readonly rpcs: RpcTable<ClientCaller>;
  readonly coordinator: Coordinator;
  readonly access: ClientAccess;
  readonly budgets: WriteBudgets;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The time after which a lost client is forgotten; its rights are watched until then. */
const graceMs = 15 * 60_000;
/** The concurrent calls of one session, each of which may hold a database connection. */
const maxCallsAtOnce = 4;

/** Serves a client of the network until its session ends. Its access is watched as long as it may come back. */
export async function serveClient(
  needs: ClientSessionNeeds,
  socket: PeerSocket,
  client: NewClient,
): Promise<void> {
  const { access, budgets, coordinator, clock } = needs;
  const { user, peerId } = client;
  const agents = new Set(client.agentId === undefined ? [] : [client.agentId]);
  let isLost = false;
  const logger = needs.logger.child({ peer: peerId, user: user.id });
  const held: Client = {
    user,
    agents,
    endAll: () => {
      void coordinator.remove(peerId).catch(() => undefined);
      rpc.close("access has ended");
    },
    endOne: (agentId) => {
      agents.delete(agentId);
      void coordinator.removeTunnel(peerId, agentId).catch(() => undefined);
      if (agentId === client.agentId) held.endAll();
    },
  };
  const caller: ClientCaller = {
    ...client,
    logger,
    peer: () => ({
      id: peerId,
      holder: `user:${user.id}`,
      keyId: user.keyId,
      policy: clientPolicy(async (destination) => {
        const problem = await client.mayReach(destination);
        if (problem === undefined) agents.add(destination);
        return problem;
      }),
      latencyOf: undefined,
      leaving: async () => {
        if (!(await access.check([held])).has(held)) return "disconnected";
        isLost = true;
        const holding = access.hold(held);
        setTimeout(() => holding[Symbol.dispose](), graceMs).unref();
        return "lost";
      },
      reserve: (budget, cost) => budgets.reserve(user.id, budget, cost),
      logger,
    }),
  };
  const shared = {
    turnstile: new Turnstile((inside) => inside < maxCallsAtOnce),
    reserve: (bytes: number) => budgets.reserve(user.id, "traffic", bytes),
  };
  const rpc = new Responder(socket, needs.rpcs, caller, { clock, shared });
  keepAlive(socket);
  const holding = access.hold(held);
  logger.debug({}, "client connected");
  const reason = await rpc.ended;
  logger.debug({ reason }, "client disconnected");
  // A call that ends later holds on by itself.
  if (!isLost) holding[Symbol.dispose]();
}
