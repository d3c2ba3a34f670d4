import { type Clock, errorText, type Logger, Scope } from "@slipway/runtime";

import type { Database } from "../../../platform/db/database.ts";
import { selectLive } from "../live-queries.ts";
import { connectionUpdateMs } from "./agent-status.ts";
import { type AgentSession, markAllAlive } from "./connection-queries.ts";

/** The other end of a session. */
export interface WatchedPeer {
  /** Pings the peer; `onPong` is called when it answers. */
  ping(onPong: () => void): void;
  close(reason: string): void;
}

/** The heartbeat of sessions. */
export interface Heartbeat {
  /** Watches a session until the result is disposed of. */
  watch(session: AgentSession, peer: WatchedPeer): WatchedSession;
}

export interface WatchedSession extends Disposable {
  /** Checks soon whether the session's agent is still live, without waiting for the next beat. */
  lookNow(): void;
}

interface Watched {
  readonly session: AgentSession;
  readonly peer: WatchedPeer;
  unanswered: number;
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

/**
 * The heartbeat of all sessions of this replica (docs/protocol/rpc.md §5): every 15 s each is pinged and recorded as
 * alive, at a time of its own, however many arrived together. Closes those that answer no ping, whose build is no
 * longer the newest, or that cannot be recorded. One timer and a few statements a second serve a thousand agents.
 *
 *   watched --every 15 s: ping, note--> watched --no pong | build outdated | database gone--> closed
 */
export class GatheredHeartbeat implements Heartbeat, AsyncDisposable {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #scope = new Scope();
  /** One set for each beat of a period, in order. */
  readonly #beats = Array.from({ length: beatsPerPeriod }, () => new Set<Watched>());
  /** The sessions to check soon, with the time when each was named. */
  readonly #lookedFor = new Map<Watched, number>();
  #isLooking = false;

  constructor(db: Database, clock: Clock, logger: Logger) {
    this.#db = db;
    this.#clock = clock;
    this.#logger = logger;
    this.#scope.run((signal) => this.#beatRegularly(signal));
  }

  watch(session: AgentSession, peer: WatchedPeer): WatchedSession {
    const watched: Watched = { session, peer, unanswered: 0 };
    const beat = this.#emptiest();
    beat.add(watched);
    return {
      lookNow: () => {
        if (!this.#lookedFor.has(watched)) this.#lookedFor.set(watched, this.#clock.monotonic());
        if (!this.#isLooking) this.#scope.run((signal) => this.#lookAtAll(signal));
      },
      [Symbol.dispose]: () => {
        beat.delete(watched);
        this.#lookedFor.delete(watched);
      },
    };
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
      watched.unanswered += 1;
      watched.peer.ping(() => (watched.unanswered = 0));
      due.push(watched);
    }
    return due;
  }

  async #note(due: readonly Watched[]): Promise<void> {
    try {
      // As gathered writes do, so that they do not wait for each other's rows.
      const sessions = due
        .map(({ session }) => session)
        .toSorted((one, other) => (one.agentId < other.agentId ? -1 : 1));
      closeOutdated(due, await markAllAlive(this.#db, sessions));
    } catch (error) {
      const fields = { error: errorText(error), sessions: due.length };
      this.#logger.warn(fields, "connection times not written");
      for (const { peer } of due) peer.close("database not reachable");
    }
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

function closeOutdated(watched: readonly Watched[], liveAgents: ReadonlySet<string>): void {
  for (const { session, peer } of watched) {
    if (!liveAgents.has(session.agentId)) peer.close("build is outdated");
  }
}
