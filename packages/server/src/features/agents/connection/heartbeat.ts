import { type Clock, errorText, type Logger, Scope, settlesWithin } from "@slipway/runtime";

import type { Database } from "../../../platform/db/database.ts";
import { selectLive } from "../live-queries.ts";
import { connectionUpdateMs } from "./agent-status.ts";
import {
  type AgentSession,
  markAllAlive,
  markAllDisconnected,
  takeOverRows,
} from "./connection-queries.ts";

/** The other end of a session. */
export interface WatchedPeer {
  /** Pings the peer; `onPong` is called when it answers. */
  ping(onPong: () => void): void;
  close(reason: string): void;
}

export interface WatchOptions {
  /**
   * Called when the session has taken over the row of its agent from a newer one that is over; undefined for a session
   * that never holds it.
   */
  readonly onTakeOver: (() => void) | undefined;
}

/** The heartbeat of sessions. */
export interface Heartbeat {
  /** Watches a session until the result is disposed of. */
  watch(session: AgentSession, peer: WatchedPeer, options: WatchOptions): WatchedSession;
  /**
   * Hands the agent's row over to another of its sessions here, if one answers: before the end of the session that
   * holds it is recorded, so that an agent that is there never seems to be gone.
   */
  handOver(session: AgentSession): Promise<void>;
}

export interface WatchedSession extends Disposable {
  /** Checks soon whether the session's agent is still live, without waiting for the next beat. */
  lookNow(): void;
}

interface Watched extends WatchOptions {
  readonly session: AgentSession;
  readonly peer: WatchedPeer;
  unanswered: number;
  /** True if it had answered when it was last pinged. */
  isResponsive: boolean;
  isOver: boolean;
}

/** The time between two beats. All sessions of a beat cost one statement, however many there are. */
const beatMs = 250;
const beatsPerPeriod = connectionUpdateMs / beatMs;
/**
 * The same for sessions to check soon, and the least time that each of them has. An agent that restarts for a new owner
 * has disconnected by itself by then; one whose session was closed before would wait before it connects again.
 */
const lookMs = 100;
/** The number of unanswered pings after which a peer counts as gone. */
const maxUnanswered = 2;
/** The time in which a session answers that is to take over from one that has ended. */
const heirAnswerMs = 1_000;

/**
 * The heartbeat of all sessions of this replica (docs/protocol/rpc.md §5): every 15 s each is pinged and recorded as
 * alive, at a time of its own, however many arrived together. Closes those that answer no ping, whose build is no
 * longer the newest, or that cannot be recorded. One timer and a few statements a second serve a thousand agents.
 *
 *   watched --every 15 s: ping, note--> watched --no pong | build outdated | database gone--> closed
 *
 * The newest session holds the row of its agent. When it is over, an older one that still answers takes the row over: at
 * once on the same replica (`handOver`), with its next beat on another, or when the end was never recorded.
 */
export class GatheredHeartbeat implements Heartbeat, AsyncDisposable {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #scope = new Scope();
  /** One set for each beat of a period, in order. */
  readonly #beats = Array.from({ length: beatsPerPeriod }, () => new Set<Watched>());
  /** The sessions that may hold the row of their agent, by its id. */
  readonly #ofAgents = new Map<string, Set<Watched>>();
  /** The sessions to check soon, with the time when each was named. */
  readonly #lookedFor = new Map<Watched, number>();
  #isLooking = false;

  constructor(db: Database, clock: Clock, logger: Logger) {
    this.#db = db;
    this.#clock = clock;
    this.#logger = logger;
    this.#scope.run((signal) => this.#beatRegularly(signal));
  }

  watch(session: AgentSession, peer: WatchedPeer, { onTakeOver }: WatchOptions): WatchedSession {
    const state = { unanswered: 0, isResponsive: false, isOver: false };
    const watched: Watched = { session, peer, onTakeOver, ...state };
    const beat = this.#emptiest();
    beat.add(watched);
    if (onTakeOver !== undefined) this.#addToAgent(watched);
    return {
      lookNow: () => {
        if (!this.#lookedFor.has(watched)) this.#lookedFor.set(watched, this.#clock.monotonic());
        if (!this.#isLooking) this.#scope.run((signal) => this.#lookAtAll(signal));
      },
      [Symbol.dispose]: () => {
        watched.isOver = true;
        beat.delete(watched);
        this.#lookedFor.delete(watched);
        this.#removeFromAgent(watched);
      },
    };
  }

  async handOver({ agentId, connectionId }: AgentSession): Promise<void> {
    const heir = await this.#firstToAnswer([...(this.#ofAgents.get(agentId) ?? [])]);
    if (heir === undefined) return;
    try {
      await this.#takeOver([heir], connectionId);
    } catch (error) {
      this.#logger.debug({ error: errorText(error) }, "the next beat takes over");
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

  /** Returns the beat with the fewest sessions; of several the last to come. */
  #emptiest(): Set<Watched> {
    return this.#beats.reduceRight((best, beat) => (beat.size < best.size ? beat : best));
  }

  #addToAgent(watched: Watched): void {
    const { agentId } = watched.session;
    const sessions = this.#ofAgents.get(agentId) ?? new Set();
    this.#ofAgents.set(agentId, sessions.add(watched));
  }

  #removeFromAgent(watched: Watched): void {
    const { agentId } = watched.session;
    const sessions = this.#ofAgents.get(agentId);
    if (sessions?.delete(watched) === true && sessions.size === 0) this.#ofAgents.delete(agentId);
  }

  /** Pings sessions; resolves to the first that answers in time. */
  async #firstToAnswer(sessions: readonly Watched[]): Promise<Watched | undefined> {
    if (sessions.length === 0) return undefined;
    const { promise, resolve } = Promise.withResolvers<Watched>();
    for (const watched of sessions) watched.peer.ping(() => resolve(watched));
    const answers = settlesWithin(promise, heirAnswerMs, this.#clock, this.#scope.signal);
    return (await answers) ? promise : undefined;
  }

  /** Pings the sessions of the next beat, which then moves to the end of the order. */
  #pingNext(): readonly Watched[] {
    const beat = this.#beats.shift() ?? new Set();
    this.#beats.push(beat);
    const due: Watched[] = [];
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

  async #note(due: readonly Watched[]): Promise<void> {
    try {
      const { liveAgents, holders } = await markAllAlive(this.#db, sessionsOf(due));
      await this.#endAgain(due);
      closeOutdated(due, liveAgents);
      // One that answers is there, whatever became of the one that took its place.
      const heirs = due.filter(
        ({ session, isResponsive }) =>
          isResponsive && !holders.has(session.connectionId) && liveAgents.has(session.agentId),
      );
      await this.#takeOver(heirs, undefined);
    } catch (error) {
      const fields = { error: errorText(error), sessions: due.length };
      this.#logger.warn(fields, "connection times not written");
      for (const { peer } of due) peer.close("database not reachable");
    }
  }

  /** Lets sessions take over the rows of their agents from one that has ended. */
  async #takeOver(sessions: readonly Watched[], succeeds: string | undefined): Promise<void> {
    const heirs = sessions.filter(({ onTakeOver, isOver }) => onTakeOver !== undefined && !isOver);
    if (heirs.length === 0) return;
    const taken = await takeOverRows(this.#db, sessionsOf(heirs), succeeds);
    await this.#endAgain(heirs);
    for (const { session, onTakeOver } of heirs) {
      if (taken.has(session.connectionId)) onTakeOver?.();
    }
  }

  /** Records the ends of sessions that ended while they were recorded as alive, possibly before that. */
  async #endAgain(recorded: readonly Watched[]): Promise<void> {
    const over = recorded.filter(({ isOver }) => isOver);
    if (over.length > 0) await markAllDisconnected(this.#db, sessionsOf(over));
  }

  async #lookAtAll(signal: AbortSignal): Promise<void> {
    this.#isLooking = true;
    while (this.#lookedFor.size > 0) {
      await this.#clock.sleep(lookMs, signal);
      const watched = this.#takeLookedFor(this.#clock.monotonic() - lookMs);
      // They have ended by themselves, or have time left.
      if (watched.length === 0) continue;
      try {
        const agentIds = watched.map(({ session }) => session.agentId);
        closeOutdated(watched, await selectLive(this.#db, agentIds));
      } catch (error) {
        this.#logger.debug({ error: errorText(error) }, "the next beat looks again");
      }
    }
    this.#isLooking = false;
  }

  /** Takes the sessions to check that were named by then. */
  #takeLookedFor(untilMs: number): readonly Watched[] {
    const taken = [...this.#lookedFor].flatMap(([one, sinceMs]) =>
      sinceMs <= untilMs ? [one] : [],
    );
    for (const one of taken) this.#lookedFor.delete(one);
    return taken;
  }
}

/** Returns sessions in the order of gathered writes, so that the statements do not wait for each other's rows. */
function sessionsOf(watched: readonly Watched[]): readonly AgentSession[] {
  return watched
    .map(({ session }) => session)
    .toSorted((one, other) => (one.agentId < other.agentId ? -1 : 1));
}

function closeOutdated(watched: readonly Watched[], liveAgents: ReadonlySet<string>): void {
  for (const { session, peer } of watched) {
    if (!liveAgents.has(session.agentId)) peer.close("build is outdated");
  }
}
