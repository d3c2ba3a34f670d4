import { errorText, settlesWithin } from "@slipway/runtime";

import { GatheredWrites } from "../../../platform/db/gathered-writes.ts";
import type { AgentCaller } from "../../../platform/http/caller.ts";
import type { Platform } from "../../../platform/platform.ts";
import { topics } from "../../../platform/pubsub/pubsub.ts";
import { isLive } from "../live-queries.ts";
import { type AgentSession, markAllConnected, markAllDisconnected } from "./connection-queries.ts";
import type { GatheredHeartbeat, WatchedPeer, WatchOptions } from "./heartbeat.ts";

export interface MonitorNeeds extends Platform {
  /** Records the starts of all sessions; resolves to whether their agents are live. */
  readonly starts: GatheredWrites<AgentSession, boolean>;
  /** Records the ends of all sessions; resolves to whether that changes their workspaces. */
  readonly ends: GatheredWrites<AgentSession, boolean>;
  readonly heartbeat: Pick<GatheredHeartbeat, "watch" | "handOver">;
  /** Aborted when the server closes: writes that fail then are not retried. */
  readonly closing: AbortSignal;
  /** Called for each end of a session that is not recorded because of that. */
  readonly onUnrecorded: () => void;
}

/** The needs of a monitor: those of its sessions, without what they share. */
type MonitorOptions = Omit<MonitorNeeds, "starts" | "ends" | "closing" | "onUnrecorded">;

interface MonitoredPeer extends WatchedPeer {
  /** Resolves with the reason once the session is over. */
  readonly ended: Promise<string>;
}

/** A session of an authenticated agent. */
interface SessionOfAgent {
  readonly agent: AgentCaller;
  readonly connectionId: string;
}

/**
 * Watches the sessions of one replica. Its promises resolve with the reason why a session has ended. Disposing of it
 * waits until all sessions have ended and their ends are recorded, at most 10 s: close the sockets before it and the
 * database after it.
 */
export class ConnectionMonitor implements AsyncDisposable {
  readonly #needs: MonitorNeeds;
  readonly #replicaId: string;
  readonly #closing = new AbortController();
  readonly #watches = new Set<Promise<string>>();
  #unrecorded = 0;

  constructor(needs: MonitorOptions, replicaId: string) {
    const onUnrecorded = (): void => void (this.#unrecorded += 1);
    const closing = this.#closing.signal;
    this.#needs = { ...needs, ...sessionWrites(needs), closing, onUnrecorded };
    this.#replicaId = replicaId;
  }

  watchAgent(peer: MonitoredPeer, session: SessionOfAgent): Promise<string> {
    const { workspaceId } = session.agent;
    return this.#keep(monitorConnection(this.#needs, peer, this.#sessionOf(session), workspaceId));
  }

  /** Watches a session of another program with the agent's token. */
  watchCompanion(peer: MonitoredPeer, session: SessionOfAgent): Promise<string> {
    const { workspaceId } = session.agent;
    return this.#keep(watchCompanion(this.#needs, peer, this.#sessionOf(session), workspaceId));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    const ends = Promise.allSettled(this.#watches);
    await settlesWithin(ends, lastEndsMs, this.#needs.clock);
    const sessions = this.#watches.size + this.#unrecorded;
    if (sessions === 0) return;
    // Other replicas notice that the heartbeat stops.
    this.#needs.logger.warn({ sessions }, "cannot record the end of sessions");
  }

  #sessionOf({ agent, connectionId }: SessionOfAgent): AgentSession {
    const { agentId, authenticatedAt } = agent;
    return { agentId, connectionId, replicaId: this.#replicaId, authenticatedAt };
  }

  #keep(watch: Promise<string>): Promise<string> {
    this.#watches.add(watch);
    return watch.finally(() => this.#watches.delete(watch));
  }
}

/** Creates the writes that the sessions of this replica share. */
export function sessionWrites({
  db,
  clock,
}: Pick<MonitorNeeds, "db" | "clock">): Pick<MonitorNeeds, "starts" | "ends"> {
  const keyOf = ({ agentId }: AgentSession): string => agentId;
  return {
    starts: new GatheredWrites({ keyOf, clock, writeAll: (all) => markAllConnected(db, all) }),
    ends: new GatheredWrites({ keyOf, clock, writeAll: (all) => markAllDisconnected(db, all) }),
  };
}

/** The time for sessions to end, and for their ends to be recorded, once the server closes. */
const lastEndsMs = 10_000;
const lastWriteTimeoutMs = 30_000;
/** A reason for the log; stock agents do not see it. */
const outdated = "build is outdated";

/**
 * Records the agent's connection times while its session is open (docs/protocol/rpc.md §5). Resolves with the reason
 * once the session has ended and its end is recorded.
 */
export async function monitorConnection(
  needs: MonitorNeeds,
  peer: MonitoredPeer,
  session: AgentSession,
  workspaceId: string,
): Promise<string> {
  const { starts, pubsub, heartbeat } = needs;
  const publish = (): void => pubsub.publish(topics.workspace(workspaceId));
  const begin = async (): Promise<boolean> => {
    const isCurrent = await starts.write(session);
    publish();
    return isCurrent ?? false;
  };
  const reason = await watchOver(needs, peer, { session, workspaceId, begin, onTakeOver: publish });
  await heartbeat.handOver(session);
  if (await writeEnd(needs, session)) publish();
  return reason;
}

/** Watches a session of another program with the agent's token, which does not affect the agent's connection times. */
async function watchCompanion(
  needs: MonitorNeeds,
  peer: MonitoredPeer,
  session: AgentSession,
  workspaceId: string,
): Promise<string> {
  const begin = (): Promise<boolean> => isLive(needs.db, session.agentId);
  return watchOver(needs, peer, { session, workspaceId, begin, onTakeOver: undefined });
}

interface Watch extends WatchOptions {
  readonly session: AgentSession;
  readonly workspaceId: string;
  /** Runs once the session is watched; false when the agent is no longer live. */
  readonly begin: () => Promise<boolean>;
}

/**
 * Ends a session of any role with its build: immediately after a notification, at the next beat without one, and at the
 * start if the build ended after the agent was authenticated. Subscribes before the first check.
 */
async function watchOver(
  { heartbeat, pubsub }: MonitorNeeds,
  peer: MonitoredPeer,
  { session, workspaceId, begin, onTakeOver }: Watch,
): Promise<string> {
  using watched = heartbeat.watch(session, peer, { onTakeOver });
  using _ = pubsub.subscribe(topics.builds(workspaceId), () => watched.checkSoon());
  if (!(await begin())) peer.close(outdated);
  return await peer.ended;
}

/** Records the end of a session; resolves to true if its workspace may have changed. */
async function writeEnd(
  { ends, clock, logger, closing, onUnrecorded }: MonitorNeeds,
  session: AgentSession,
): Promise<boolean> {
  const deadline = clock.monotonic() + lastWriteTimeoutMs;
  for (;;) {
    try {
      return (await ends.write(session)) ?? false;
    } catch (error) {
      // The times suffice: a silent agent counts as disconnected.
      const fields = { agent: session.agentId, error: errorText(error) };
      if (closing.aborted) {
        logger.debug(fields, "cannot record a disconnection");
        onUnrecorded();
        return true;
      }
      if (clock.monotonic() > deadline) {
        logger.warn(fields, "cannot record a disconnection");
        return true;
      }
      await clock.sleep(1000, closing).catch(() => undefined);
    }
  }
}
