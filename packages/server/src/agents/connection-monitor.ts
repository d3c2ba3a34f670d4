import { abortable, type Clock, errorText, type Logger, Scope } from "@slipway/runtime";

import type { Database } from "../db/database.ts";
import { topics, type PubSub } from "../pubsub/pubsub.ts";
import type { RpcSession } from "../rpc/rpc-session.ts";
import { type AgentSession, markConnected, markDisconnected } from "./connection-queries.ts";
import type { Heartbeat } from "./heartbeat.ts";
import { connectionUpdateMs, inactiveTimeoutMs } from "./status.ts";

interface MonitorNeeds {
  readonly db: Database;
  readonly heartbeat: Heartbeat;
  readonly pubsub: PubSub;
  readonly clock: Clock;
  readonly logger: Logger;
}

const pingTimeoutMs = 10_000;
const lastWriteTimeoutMs = 30_000;

/**
 * Keeps the agent's connection times while its session lives (`rpc.md` section 5), and ends the session when no ping is
 * answered or the build is no longer the newest. Resolves when the session is over and that is written down.
 *
 *   connected --every 15 s: ping, note--> connected --ping timeout | build outdated | socket gone--> disconnected
 */
export async function monitorConnection(
  needs: MonitorNeeds,
  rpc: RpcSession,
  session: AgentSession,
  workspaceId: string,
): Promise<void> {
  const { db, pubsub, logger } = needs;
  await markConnected(db, session);
  pubsub.publish(topics.workspace(workspaceId));
  const scope = new Scope();
  scope.run((signal) => watchOver(needs, rpc, session, signal));
  const reason = await rpc.ended;
  await scope.close();
  logger.info({ reason }, "agent disconnected");
  await writeEnd(needs, session);
  pubsub.publish(topics.workspace(workspaceId));
}

async function watchOver(
  { heartbeat, clock, logger }: MonitorNeeds,
  rpc: RpcSession,
  session: AgentSession,
  signal: AbortSignal,
): Promise<void> {
  let lastPong = clock.monotonic();
  for (;;) {
    await clock.sleep(connectionUpdateMs, signal);
    const pinged = abortable(
      rpc.ping(),
      AbortSignal.any([signal, AbortSignal.timeout(pingTimeoutMs)]),
    );
    // An unanswered ping shows by the age of the last one that was answered.
    await pinged.then(() => (lastPong = clock.monotonic())).catch(() => undefined);
    signal.throwIfAborted();
    if (clock.monotonic() - lastPong > inactiveTimeoutMs) return rpc.close("ping timeout");
    try {
      if (!(await heartbeat.beat(session))) return rpc.close("build is outdated");
    } catch (error) {
      logger.warn({ error: errorText(error) }, "connection times not written");
      return rpc.close("database not reachable");
    }
  }
}

async function writeEnd({ db, clock, logger }: MonitorNeeds, session: AgentSession): Promise<void> {
  const deadline = clock.monotonic() + lastWriteTimeoutMs;
  for (;;) {
    try {
      return await markDisconnected(db, session);
    } catch (error) {
      // The times speak for themselves: an agent not heard of counts as disconnected.
      if (clock.monotonic() > deadline)
        return logger.warn({ error: errorText(error) }, "disconnection not written");
      await clock.sleep(1000, AbortSignal.timeout(lastWriteTimeoutMs)).catch(() => undefined);
    }
  }
}
