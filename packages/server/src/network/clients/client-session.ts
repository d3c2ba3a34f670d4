import { Responder, type RpcTable, type SharedCalls } from "@slipway/rpc";
import { errorText, type Logger, Turnstile, type UnfinishedBytes } from "@slipway/runtime";

import type { WriteBudgets } from "../../features/agents/calls/write-budgets.ts";
import { holderPrefixes } from "../../features/agents/connections/visits.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { keepAlive, type PeerSocket } from "../../platform/http/peer-socket.ts";
import type { Platform } from "../../platform/platform.ts";
import type { CoordinatedPeer } from "../coordinator/coordinate.ts";
import type { Coordinator } from "../coordinator/coordinator.ts";
import { clientRules, type TunnelCheck } from "../coordinator/peer-policy.ts";
import type { Client, ClientAccess } from "./client-access.ts";

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
  /** The client as a peer: one for all its calls, whose rules carry over from one call to the next. */
  readonly peer: CoordinatedPeer;
  readonly logger: Logger;
}

export interface ClientSessionNeeds extends Pick<Platform, "clock" | "logger"> {
  readonly rpcs: RpcTable<ClientCaller>;
  readonly coordinator: Coordinator;
  readonly access: ClientAccess;
  readonly budgets: WriteBudgets;
  readonly unfinished: UnfinishedBytes;
}

/** The concurrent calls of one session, each of which may hold a database connection. */
const maxCallsAtOnce = 4;

/**
 * Serves a client of the network until its session ends, and watches its access. If its calls leave a peer behind for
 * its return, that is watched as an absent client.
 */
export async function serveClient(
  needs: ClientSessionNeeds,
  socket: PeerSocket,
  client: NewClient,
): Promise<void> {
  const { access, budgets, unfinished, clock } = needs;
  const { user, peerId } = client;
  const agents = new Set(client.agentId === undefined ? [] : [client.agentId]);
  const logger = needs.logger.child({ peer: peerId, user: user.id });
  const { coordinator } = needs;
  const held = watched({ coordinator, logger }, client, agents, () =>
    rpc.close("access has ended"),
  );
  const { policy, recall } = clientRules(client.agentId, async (destination) => {
    const problem = await client.mayReach(destination);
    if (problem === undefined) agents.add(destination);
    return problem;
  });
  const peer: CoordinatedPeer = {
    id: peerId,
    holder: `${holderPrefixes.user}${user.id}`,
    keyId: user.keyId,
    ip: user.origin?.ip,
    policy,
    recall: (standing) => {
      for (const id of standing.destinations) agents.add(id);
      recall(standing);
    },
    latencyOf: undefined,
    leaving: async () => {
      if (!(await access.check([held])).has(held)) return "disconnected";
      return socket.isLeft ? "gone" : "lost";
    },
    reserve: (budget, cost, maxWaitMs) => budgets.reserve(user.id, budget, cost, maxWaitMs),
    log: () => logger,
  };
  const caller: ClientCaller = { ...client, peer, logger };
  const shared: SharedCalls = {
    turnstile: new Turnstile((inside) => inside < maxCallsAtOnce),
    reserve: (bytes) => budgets.reserve(user.id, "traffic", bytes),
    openUnfinished: (cutOff) => unfinished.open(user.id, cutOff),
  };
  const rpc = new Responder(socket, needs.rpcs, caller, { clock, shared });
  keepAlive(socket);
  using _ = access.hold(held);
  logger.debug({}, "client connected");
  const reason = await rpc.ended;
  logger.debug({ reason }, "client disconnected");
}

/** Returns a client whose access is watched. `close` ends its session. */
function watched(
  { coordinator, logger }: Pick<ClientSessionNeeds, "coordinator" | "logger">,
  { user, peerId, agentId }: NewClient,
  agents: Set<string>,
  close: () => void,
): Client {
  const endAll = (): void => {
    // A connection retries failed writes.
    void coordinator.remove({ id: peerId, keyId: user.keyId });
    close();
  };
  const endOne = async (id: string): Promise<void> => {
    if (id === agentId) return endAll();
    try {
      await coordinator.removeTunnel(peerId, id);
      agents.delete(id);
    } catch (error) {
      // It stays among the checked agents, and is removed at the next check.
      logger.warn(
        { agent: id, error: errorText(error) },
        "cannot end a client's access to an agent",
      );
    }
  };
  return { user, agents, endAll, endOne: (id) => void endOne(id) };
}
