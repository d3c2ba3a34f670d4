import { openTestDatabase } from "@slipway/testkit";

import { type PlayedHistory, playHistory } from "./play-history.ts";

export interface HistorySearch {
  readonly histories: number;
  readonly steps: number;
  /** The histories after which the model and PostgreSQL differ. */
  readonly found: readonly { readonly seed: number; readonly history: PlayedHistory }[];
}

interface SearchOptions {
  readonly from: number;
  readonly count: number;
  /** The number of histories played concurrently, each on its own connection. */
  readonly jobs: number;
  readonly onHistory?: (seed: number) => void;
}

/** The number of histories per database: their leftovers are invisible but still take space. */
const perDatabase = 50;

/** Plays the histories of seeds on separate databases of a PostgreSQL. */
export async function searchHistories(
  postgresUrl: string,
  { from, count, jobs, onHistory = () => undefined }: SearchOptions,
): Promise<HistorySearch> {
  const found: { readonly seed: number; readonly history: PlayedHistory }[] = [];
  let next = from;
  let steps = 0;
  const play = async (): Promise<void> => {
    while (next < from + count) {
      await using database = await openTestDatabase(postgresUrl);
      for (let left = perDatabase; left > 0 && next < from + count; left -= 1) {
        const seed = next;
        next += 1;
        const history = await playHistory(database.url, seed);
        steps += history.steps.length;
        if (history.differences.length > 0) found.push({ seed, history });
        onHistory(seed);
      }
    }
  };
  await Promise.all(Array.from({ length: jobs }, play));
  return { histories: count, steps, found: found.toSorted((a, b) => a.seed - b.seed) };
}
