/** Limits of a peer's session, far beyond the needs of a stock agent. */
export const sessionLimits = {
  /** Concurrent calls; others wait. */
  maxCallsAtOnce: 16,
  /** Concurrent calls of all sessions of one agent, each of which may hold a database connection. */
  maxCallsAtOnceOfAgent: 8,
  /** Concurrent streaming calls; a stock agent has two. */
  maxStreamingCalls: 8,
  /**
   * Bytes of requests that wait for their remaining parts or for their answer: two of the largest. A call beyond that
   * is reset.
   */
  maxHeldBytes: 8 * 1024 * 1024,
  /** Bytes of unread answers. Beyond that, the peer's calls wait. */
  maxUnreadBytes: 8 * 1024 * 1024,
  /** Bytes of unread answers in the socket; beyond that, nothing is read from it. */
  maxSocketBytes: 1024 * 1024,
  /** The minimum cost of a message against the peer's rate, in bytes: each takes processing time. */
  minMessageCost: 512,
  /** The time after which a peer with too many unread bytes is disconnected, in milliseconds. */
  unreadTimeoutMs: 60_000,
} as const;
