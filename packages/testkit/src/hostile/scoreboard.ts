import { ApiError } from "@slipway/sdk/http";

import type { TrickCount } from "./options.ts";
import type { Play } from "./trick.ts";

/** The maximum number of reported faults; a broken server produces thousands of the same. */
const maxFaults = 50;

/** The server's responses during one performance of a trick. */
interface PlayOutcome {
  readonly taken: number;
  readonly refused: number;
  readonly faults: readonly string[];
}

interface Count {
  readonly name: string;
  played: number;
  taken: number;
  refused: number;
  longestTurnMs: number;
}

/** Counts the server's responses to the attackers. */
export class Scoreboard {
  readonly #counts = new Map<string, Count>();
  /** The tricks in play. */
  readonly #playing = new Set<string>();
  readonly faults: string[] = [];

  get counts(): readonly TrickCount[] {
    return [...this.#counts.values()];
  }

  /** Records a violation. */
  fault(text: string): void {
    if (this.faults.length < maxFaults) this.faults.push(text);
  }

  /** Records a turn of the server's event loop for every trick in play, since any may have caused it. */
  turn(ms: number): void {
    for (const name of this.#playing) {
      const count = this.#countOf(name);
      count.longestTurnMs = Math.max(count.longestTurnMs, ms);
    }
  }

  begin(name: string): void {
    this.#playing.add(name);
  }

  end(name: string, { taken, refused, faults }: PlayOutcome): void {
    this.#playing.delete(name);
    const count = this.#countOf(name);
    count.played += 1;
    count.taken += taken;
    count.refused += refused;
    for (const text of faults) this.fault(text);
  }

  /** Returns the recorder of one performance; its records count immediately. */
  play(name: string): Play {
    const count = this.#countOf(name);
    count.played += 1;
    const note = (isTaken: boolean): void => {
      if (isTaken) count.taken += 1;
      else count.refused += 1;
    };
    return {
      note,
      reply: ({ type }) => note(type === "message"),
      status: (status, what) => {
        // The server may answer that it is too busy.
        if (status >= 500 && status !== 503) {
          this.fault(`${name}: ${what} was answered with ${status}`);
        }
        note(status >= 100 && status < 400);
      },
      request: async (what, request) => {
        try {
          const answer = await request;
          note(true);
          return answer;
        } catch (error) {
          if (!(error instanceof ApiError)) throw error;
          if (error.status >= 500 && error.status !== 503) {
            this.fault(`${name}: ${what} failed: ${error.status} ${error.message}`);
          }
          note(false);
          return undefined;
        }
      },
    };
  }

  #countOf(name: string): Count {
    const found = this.#counts.get(name);
    if (found !== undefined) return found;
    const count = { name, played: 0, taken: 0, refused: 0, longestTurnMs: 0 };
    this.#counts.set(name, count);
    return count;
  }
}
