import { type Clock, errorText, type Logger, Scope, settlesWithin } from "@slipway/runtime";

import type { HeartbeatConnection } from "../../../platform/db/heartbeat-connection.ts";
import { connectionUpdateMs } from "../agent-status.ts";
import { selectLive } from "../live-queries.ts";
import {
  type AgentSession,
  markAllAlive,
  markAllDisconnected,
  takeOverRows,
} from "./connection-queries.ts";

/** The peer at the other end of a session. */
export interface WatchedPeer {
  /** Pings the peer; `onPong` is called when it answers. */
  ping(onPong: () => void): void;
  close(reason: string): void;
}

export interface WatchOptions {
  /**
   * Called when the session takes over its agent's row from a newer one that ended; undefined if it never holds the
   * row.
   */
  readonly onTakeOver: (() => void) | undefined;
}

export interface WatchedSession extends Disposable {
  /** Checks soon whether the session's agent is still live, without waiting for the next beat. */
  checkSoon(): void;
}

interface SessionWatch extends WatchOptions {
  readonly session: AgentSession;
  readonly peer: WatchedPeer;
  unanswered: number;
  /** True if it had answered all earlier pings when it was last pinged. */
  isResponsive: boolean;
  isOver: boolean;
}

/** The time between two beats. All sessions of a beat share one statement. */
const beatMs = 250;
const beatsPerPeriod = connectionUpdateMs / beatMs;
/**
 * The time between two checks of sessions to check soon, and the minimum delay of each check. An agent that restarts
 * for a new owner has disconnected by then; if the server closed its session, the agent would wait before it
 * reconnects.
 */
const checkMs = 100;
/** The number of unanswered pings after which a peer counts as gone. */
const maxUnanswered = 2;
/** The time within which a session must answer to take over from one that has ended. */
const heirAnswerMs = 1_000;

/**
 * The heartbeat of all sessions of this replica (docs/protocol/rpc.md §5): every 15 s each is pinged and recorded as
 * alive, at its own time, however many arrived together. Closes those that answer no ping, whose build is no longer the
 * newest, or that cannot be recorded. One timer and a few statements a second serve a thousand agents.
 *
 *   watched --every 15 s: ping, note--> watched --no pong | build outdated | database gone--> closed
 *
 * The newest session holds the row of its agent. When it ends, an older one that still answers takes the row over:
 * immediately on the same replica (`handOver`), with its next beat on another replica or if the end was never recorded.
 */
export class GatheredHeartbeat implements AsyncDisposable {
  readonly #connection: Pick<HeartbeatConnection, "run">;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #scope = new Scope();
  /** The sessions of each beat of a period, in order. */
  readonly #beats = Array.from({ length: beatsPerPeriod }, () => new Set<SessionWatch>());
  /** The sessions that may hold an agent's row, by its id. */
  readonly #ofAgents = new Map<string, Set<SessionWatch>>();
  /** The sessions to check soon, with the time of the request. */
  readonly #toCheck = new Map<SessionWatch, number>();
  #isChecking = false;

  constructor(connection: Pick<HeartbeatConnection, "run">, clock: Clock, logger: Logger) {
    this.#connection = connection;
    this.#clock = clock;
    this.#logger = logger;
    this.#scope.run((signal) => this.#beatRegularly(signal));
  }

  /** Watches a session until the result is disposed of. */
  watch(session: AgentSession, peer: WatchedPeer, { onTakeOver }: WatchOptions): WatchedSession {
    const state = { unanswered: 0, isResponsive: false, isOver: false };
    const watched: SessionWatch = { session, peer, onTakeOver, ...state };
    const beat = this.#emptiest();
    beat.add(watched);
    if (onTakeOver !== undefined) this.#addToAgent(watched);
    return {
      checkSoon: () => {
        if (!this.#toCheck.has(watched)) this.#toCheck.set(watched, this.#clock.monotonic());
        if (!this.#isChecking) this.#scope.run((signal) => this.#checkRequested(signal));
      },
      [Symbol.dispose]: () => {
        watched.isOver = true;
        beat.delete(watched);
        this.#toCheck.delete(watched);
        this.#removeFromAgent(watched);
      },
    };
  }

  /**
   * Hands an agent's row over to another of its sessions on this replica, if one answers. Call it before the end of the
   * session is recorded, so that a connected agent never seems disconnected.
   */
  async handOver({ agentId, connectionId }: AgentSession): Promise<void> {
    const heir = await this.#firstToAnswer([...(this.#ofAgents.get(agentId) ?? [])]);
    if (heir === undefined) return;
    try {
      await this.#takeOver([heir], connectionId);
    } catch (error) {
      this.#logger.debug(
        { error: errorText(error) },
        "cannot hand over a session, retrying at the next beat",
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope.close();
  }

  async #beatRegularly(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#clock.sleep(beatMs, signal);
      const due = this.#pingNext();
      // The next beat does not wait for a slow database.
      if (due.length > 0) this.#scope.run(() => this.#note(due));
    }
  }

  /** Returns the beat with the fewest sessions; of several the one furthest ahead. */
  #emptiest(): Set<SessionWatch> {
    return this.#beats.reduceRight((best, beat) => (beat.size < best.size ? beat : best));
  }

  #addToAgent(watched: SessionWatch): void {
    const { agentId } = watched.session;
    const sessions = this.#ofAgents.get(agentId) ?? new Set();
    this.#ofAgents.set(agentId, sessions.add(watched));
  }

  #removeFromAgent(watched: SessionWatch): void {
    const { agentId } = watched.session;
    const sessions = this.#ofAgents.get(agentId);
    if (sessions?.delete(watched) === true && sessions.size === 0) this.#ofAgents.delete(agentId);
  }

  /** Pings sessions; resolves to the first that answers in time. */
  async #firstToAnswer(sessions: readonly SessionWatch[]): Promise<SessionWatch | undefined> {
    if (sessions.length === 0) return undefined;
    const { promise, resolve } = Promise.withResolvers<SessionWatch>();
    for (const watched of sessions) watched.peer.ping(() => resolve(watched));
    const answers = settlesWithin(promise, heirAnswerMs, this.#clock, this.#scope.signal);
    return (await answers) ? promise : undefined;
  }

  /** Pings the sessions of the next beat, which then moves to the end of the order. */
  #pingNext(): readonly SessionWatch[] {
    const beat = this.#beats.shift() ?? new Set();
    this.#beats.push(beat);
    const due: SessionWatch[] = [];
    for (const watched of beat) {
      if (watched.unanswered >= maxUnanswered) {
        beat.delete(watched);
        watched.peer.close("ping timeout");
        continue;
      }
      watched.isResponsive = watched.unanswered === 0;
      watched.unanswered += 1;
      watched.peer.ping(() => (watched.unanswered = 0));
      due.push(watched);
    }
    return due;
  }

  async #note(due: readonly SessionWatch[]): Promise<void> {
    try {
      const { liveAgents, holders } = await this.#connection.run((db) =>
        markAllAlive(db, sessionsOf(due)),
      );
      await this.#endAgain(due);
      closeOutdated(due, liveAgents);
      // A session that answers is connected, whatever happened to the one that replaced it.
      const heirs = due.filter(
        ({ session, isResponsive }) =>
          isResponsive && !holders.has(session.connectionId) && liveAgents.has(session.agentId),
      );
      await this.#takeOver(heirs, undefined);
    } catch (error) {
      const fields = { error: errorText(error), sessions: due.length };
      this.#logger.warn(fields, "cannot record connection times");
      for (const { peer } of due) peer.close("database not reachable");
    }
  }

  /** Lets sessions take over the rows of their agents, from those that ended or from the one that they succeed. */
  async #takeOver(sessions: readonly SessionWatch[], succeeds: string | undefined): Promise<void> {
    const heirs = sessions.filter(({ onTakeOver, isOver }) => onTakeOver !== undefined && !isOver);
    if (heirs.length === 0) return;
    const taken = await this.#connection.run((db) => takeOverRows(db, sessionsOf(heirs), succeeds));
    await this.#endAgain(heirs);
    for (const { session, onTakeOver } of heirs) {
      if (taken.has(session.connectionId)) onTakeOver?.();
    }
  }

  /** Records again the ends of sessions that ended while they were recorded as alive. */
  async #endAgain(recorded: readonly SessionWatch[]): Promise<void> {
    const over = recorded.filter(({ isOver }) => isOver);
    if (over.length === 0) return;
    await this.#connection.run((db) => markAllDisconnected(db, sessionsOf(over)));
  }

  async #checkRequested(signal: AbortSignal): Promise<void> {
    this.#isChecking = true;
    while (this.#toCheck.size > 0) {
      await this.#clock.sleep(checkMs, signal);
      const watched = this.#takeRequested(this.#clock.monotonic() - checkMs);
      // They ended meanwhile, or their delay is not over.
      if (watched.length === 0) continue;
      try {
        const agentIds = watched.map(({ session }) => session.agentId);
        closeOutdated(watched, await this.#connection.run((db) => selectLive(db, agentIds)));
      } catch (error) {
        this.#logger.debug(
          { error: errorText(error) },
          "cannot check sessions, retrying at the next beat",
        );
      }
    }
    this.#isChecking = false;
  }

  /** Removes and returns the sessions whose check was requested by then. */
  #takeRequested(untilMs: number): readonly SessionWatch[] {
    const taken = [...this.#toCheck].flatMap(([one, sinceMs]) => (sinceMs <= untilMs ? [one] : []));
    for (const one of taken) this.#toCheck.delete(one);
    return taken;
  }
}

/** Returns sessions in the order of gathered writes, so that statements do not deadlock. */
function sessionsOf(watched: readonly SessionWatch[]): readonly AgentSession[] {
  return watched
    .map(({ session }) => session)
    .toSorted((one, other) => (one.agentId < other.agentId ? -1 : 1));
}

function closeOutdated(watched: readonly SessionWatch[], liveAgents: ReadonlySet<string>): void {
  for (const { session, peer } of watched) {
    if (!liveAgents.has(session.agentId)) peer.close("build is outdated");
  }
}
