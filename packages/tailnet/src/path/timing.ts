/** Times of the search for direct paths, in milliseconds (docs/protocol/tailnet.md §6.2, §6.4). */

/** A pong makes an address trusted for this long: data goes there only. */
export const trustMs = 6500;
/** A peer is active for this long after we sent to it; only active peers are pinged unasked. */
export const activeMs = 45_000;
/** The best address of an active peer is pinged so often. */
export const heartbeatMs = 3000;
/** All addresses of an active peer are pinged so often while none is trusted. */
export const roundMs = 5000;
/** The same while one is trusted that is not good enough. */
export const upgradeMs = 60_000;
/** A trusted address with less latency is good enough. */
export const goodLatencyMs = 5;
/** The length that a path takes is looked for while full datagrams are sent, and for this long after. */
export const fullMs = 10_000;
/** A ping without a pong is forgotten after this long. */
export const pingTimeoutMs = 5000;
/** An address that only messages of the peer have shown is forgotten this long after the last of them. */
export const heardMs = 45_000;
/** Our own endpoints are told to a peer only if they were looked up no longer ago. */
export const freshEndpointsMs = 27_000;
