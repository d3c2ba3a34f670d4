/** What one session of a peer may cost the server. Each of them is far beyond what a stock agent comes to. */
export const sessionLimits = {
  /** Calls that are answered at once; the others wait. */
  maxCallsAtOnce: 16,
  /** Calls at once of all sessions of one agent, each of which may hold a connection to the database. */
  maxCallsAtOnceOfAgent: 8,
  /** Calls at once that are answered more than once; a stock agent has two. */
  maxStreamingCalls: 8,
  /** Bytes of requests that wait, for the rest of them or for their answer: two of the largest. A call beyond is cut off. */
  maxHeldBytes: 8 * 1024 * 1024,
  /** Bytes of answers that the peer has not read. With more, its calls wait. */
  maxUnreadBytes: 8 * 1024 * 1024,
  /** Bytes of them that may be in the socket; with more, nothing is read from it. */
  maxSocketBytes: 1024 * 1024,
  /** What a message costs at least of what a peer may send and be sent, in bytes: each takes its time. */
  minMessageCost: 512,
  /** A peer that leaves too much unread for so long is cut off, in milliseconds. */
  unreadTimeoutMs: 60_000,
} as const;
