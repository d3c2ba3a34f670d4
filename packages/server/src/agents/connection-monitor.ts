import { type Clock, errorText, type Logger } from "@slipway/runtime";

import type { Database } from "../db/database.ts";
import { topics, type PubSub } from "../pubsub/pubsub.ts";
import { type AgentSession, markConnected, markDisconnected } from "./connection-queries.ts";
import type { Heartbeat, WatchedPeer } from "./heartbeat.ts";

interface MonitorNeeds {
  readonly db: Database;
  readonly heartbeat: Heartbeat;
  readonly pubsub: PubSub;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface MonitoredPeer extends WatchedPeer {
  /** Resolves with the reason once the session is over. */
  readonly ended: Promise<string>;
}

const lastWriteTimeoutMs = 30_000;

/**
 * Keeps the agent's connection times while its session lives (`rpc.md` section 5). Resolves with the reason when the
 * session is over and that is written down.
 */
export async function monitorConnection(
  needs: MonitorNeeds,
  peer: MonitoredPeer,
  session: AgentSession,
  workspaceId: string,
): Promise<string> {
  const { pubsub } = needs;
  const reason = await watchOver(needs, peer, session, workspaceId);
  await writeEnd(needs, session);
  pubsub.publish(topics.workspace(workspaceId));
  return reason;
}

/**
 * A claim ends the session at once, so that the agent comes back as its new owner's; also one that was committed since the
 * agent was let in: it is subscribed to claims before that is looked at.
 */
async function watchOver(
  { db, heartbeat, pubsub }: MonitorNeeds,
  peer: MonitoredPeer,
  session: AgentSession,
  workspaceId: string,
): Promise<string> {
  using watched = heartbeat.watch(session, peer);
  using _ = pubsub.subscribe(topics.claim(workspaceId), () => watched.lookNow());
  const isThere = await markConnected(db, session);
  pubsub.publish(topics.workspace(workspaceId));
  if (!isThere) peer.close("build is outdated");
  return await peer.ended;
}

async function writeEnd({ db, clock, logger }: MonitorNeeds, session: AgentSession): Promise<void> {
  const deadline = clock.monotonic() + lastWriteTimeoutMs;
  for (;;) {
    try {
      return await markDisconnected(db, session);
    } catch (error) {
      // The times speak for themselves: an agent not heard of counts as disconnected.
      if (clock.monotonic() > deadline) {
        const fields = { agent: session.agentId, error: errorText(error) };
        return logger.warn(fields, "disconnection not written");
      }
      await clock.sleep(1000, AbortSignal.timeout(lastWriteTimeoutMs)).catch(() => undefined);
    }
  }
}
