/**
 * The processor times of a claim's steps, in milliseconds, from bursts of `npm run bench:claims` on a machine that did
 * nothing else (docs/scale.md): 4.2 ms of the server and 2.4 ms of PostgreSQL for each of 1,000 claims. With agents that were
 * kept from connecting, half of the server's and three quarters of PostgreSQL's time preceded the frames. Statements share
 * PostgreSQL's time as pg_stat_statements says.
 */
export const costs = {
  server: {
    /** Receives, authenticates and checks a request. */
    request: 0.9,
    /** Renders the build of a claim and encodes its rows. */
    claim: 0.6,
    /** Reads the workspace for the response and sends it. */
    response: 0.3,
    /** Decides for the agent's stream and sends the frame. */
    frame: 0.3,
    /** Serves the next session of the claimed agent. */
    session: 2.1,
    /** Accepts an agent whose server was killed. */
    reconnect: 2.5,
  },
  database: {
    request: 0.1,
    /** The fixed time of a transaction, whatever the number of its claims. */
    transaction: 1,
    /** Locks the prebuild of a claim. */
    lock: 0.1,
    /** Changes a claimed prebuild and ends its agents. */
    change: 0.35,
    /** Inserts the build of a claim, and reads its workspace. */
    insert: 0.8,
    /** Derives the row of the read model and writes the commit. */
    commit: 0.15,
    frame: 0.2,
    session: 0.6,
    reconnect: 1,
  },
  /** The time of a message between two machines. */
  networkMs: 0.3,
  /** The time in which a commit reaches the disk, during which no core is occupied. */
  diskMs: 1.5,
  /** The time of agents and clients for each claim, where they share the machine. */
  others: 3,
} as const;
