import type { OutputLimits } from "./unread-output.ts";

/**
 * The largest message of a session, in bytes. Those of Go peers have one frame of yamux, at most 256 KiB
 * (docs/protocol/rpc.md §1.3); ours have had several.
 */
export const maxSessionMessageBytes = 1024 * 1024;

/** Limits of a caller's session. */
export const callerLimits = {
  /** Messages of one call that wait for their reader; a responder that sends more gets the call cut off. */
  maxWaitingMessages: 256,
} as const;

/** Output that a responder may leave unread. A caller sends little: this much unread output ends the session. */
export const callerOutputLimits: OutputLimits = {
  maxUnreadBytes: Infinity,
  maxSocketBytes: 16 * 1024 * 1024,
  unreadTimeoutMs: 0,
};

/** Limits of a responder's session, far beyond the needs of a stock agent. */
export const responderLimits = {
  /** Concurrent calls; others wait. */
  maxCallsAtOnce: 16,
  /** Concurrent streaming calls; a stock agent has two. */
  maxStreamingCalls: 8,
  /**
   * Bytes of requests that wait for their remaining parts or for their answer: two of the largest. A call beyond that
   * is reset.
   */
  maxHeldBytes: 8 * 1024 * 1024,
  /** Messages of one call that wait for their handler; beyond that the caller gets no credit to send more. */
  maxWaitingMessages: 64,
  /**
   * Messages that credit granted earlier may still bring; a call beyond that is reset. A stock client requests all
   * its tunnels together, some ten thousand of which fit its credit.
   */
  maxOverdueMessages: 16_384,
  /** The minimum cost of a message against the peer's rate, in bytes: each takes processing time. */
  minMessageCost: 512,
  /** The cost of a yamux frame of any kind against the peer's rate, in bytes. */
  frameCost: 128,
} as const;

/** Output that a caller may leave unread. Beyond it the caller's calls wait, and after a while it is disconnected. */
export const responderOutputLimits: OutputLimits = {
  maxUnreadBytes: 8 * 1024 * 1024,
  maxSocketBytes: 1024 * 1024,
  unreadTimeoutMs: 60_000,
};
