import { ApiError } from "@slipway/sdk/http";

import type { RawReply } from "../processes/raw-agent.ts";
import type { TrickCount } from "./options.ts";

/** The most faults that are reported; a broken server makes thousands of the same. */
const maxFaults = 50;

/** The notes of one trick. */
export interface Play {
  note(isTaken: boolean): void;
  reply(reply: RawReply): void;
  status(status: number, what: string): void;
  /** Notes the end of a request; undefined when it is refused. */
  request<T>(what: string, request: Promise<T>): Promise<T | undefined>;
}

/** The server's answers to the hostile ones, counted. */
export class Scoreboard {
  readonly #counts = new Map<string, { played: number; taken: number; refused: number }>();
  readonly faults: string[] = [];

  get counts(): readonly TrickCount[] {
    return [...this.#counts].map(([name, { played, taken, refused }]) => {
      return { name, played, taken, refused };
    });
  }

  /** Notes a violation. */
  fault(text: string): void {
    if (this.faults.length < maxFaults) this.faults.push(text);
  }

  /** Begins a trick of that name. */
  play(name: string): Play {
    const count = this.#counts.get(name) ?? { played: 0, taken: 0, refused: 0 };
    this.#counts.set(name, count);
    count.played += 1;
    const note = (isTaken: boolean): void => {
      if (isTaken) count.taken += 1;
      else count.refused += 1;
    };
    return {
      note,
      reply: ({ type }) => note(type === "message"),
      status: (status, what) => {
        if (status >= 500) this.fault(`${name}: ${what} was answered with ${status}`);
        note(status < 400);
      },
      request: async (what, request) => {
        try {
          const answer = await request;
          note(true);
          return answer;
        } catch (error) {
          if (!(error instanceof ApiError)) throw error;
          if (error.status >= 500) {
            this.fault(`${name}: ${what} failed: ${error.status} ${error.message}`);
          }
          note(false);
          return undefined;
        }
      },
    };
  }
}
