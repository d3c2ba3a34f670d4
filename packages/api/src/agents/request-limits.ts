/* The limits of requests to agents, without their schemas: an agent needs the limits, but no library for schemas. */

/** The limits of a request for a run. */
export const runLimits = {
  commandLength: 100_000,
  arguments: 1_024,
  variables: 256,
  valueLength: 32_768,
  pathLength: 4_096,
  timeoutMs: 7 * 86_400_000,
  /** The maximum time of a request that waits for output. */
  waitMs: 30_000,
  /** The maximum size of a page of output, in bytes before it is encoded. */
  pageBytes: 1024 * 1024,
} as const;

/** The maximum number of entries in a page of a directory. */
export const maxPageEntries = 1_000;
/** The maximum size of a file that can be edited, in bytes. */
export const maxEditBytes = 4 * 1024 * 1024;
/** The maximum number of matches of a search. */
export const maxMatches = 5_000;
