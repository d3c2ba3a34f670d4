/** Times of the search for direct paths, in milliseconds (docs/protocol/tailnet.md §6.2, §6.4). */

/** The time for which a pong makes an address trusted: data then goes only there. */
export const trustMs = 6500;
/** The time for which a peer is active after we sent to it; only active peers are pinged unasked. */
export const activeMs = 45_000;
/** The interval between pings of an active peer's best address. */
export const heartbeatMs = 3000;
/** The interval between pings of all addresses of an active peer while none is trusted. */
export const roundMs = 5000;
/** The same while a trusted address exists but is not good enough. */
export const upgradeMs = 60_000;
/** The latency below which a trusted address is good enough. */
export const goodLatencyMs = 5;
/** The time for which the length that a path carries is still probed after the last full datagram. */
export const fullMs = 10_000;
/** The time after which an unanswered ping is forgotten. */
export const pingTimeoutMs = 5000;
/** The time after the last message for which an address known only from the peer's messages is kept. */
export const heardMs = 45_000;
/** The maximum age of our own endpoints when they are sent to a peer. */
export const freshEndpointsMs = 27_000;
