/** Limits on what the coordinator can make a peer hold, and on how long it waits. */
export const coordinationLimits = {
  /** The number of peers, including those only requested; further NODE updates are dropped. */
  maxPeers: 4096,
  /** The endpoints kept of one node; a stock peer has about ten. */
  maxEndpoints: 64,
  /** The addresses kept of one node; a stock peer has one or two. */
  maxAddresses: 16,
  /** The peers named in one request (docs/protocol/tailnet.md §2.2). */
  maxReadyPerRequest: 1024,
} as const;

/** The times of docs/protocol/tailnet.md §2.6 and §2.9, in milliseconds. */
export const coordinationTimes = {
  /** The time after which a destination that never reported ready is installed. */
  readyMs: 5_000,
  /** The time without a handshake after which a lost peer is removed. */
  lostMs: 15 * 60_000,
  /** The time for a peer that is gone to come back, or to show that it continues without the coordinator. */
  goneMs: 30_000,
  /** The time for such a peer to answer over the tunnel. */
  probeMs: 10_000,
  /** The persistent keep-alive of a destination. */
  keepaliveMs: 25_000,
} as const;
