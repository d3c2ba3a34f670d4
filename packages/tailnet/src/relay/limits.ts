import { derpHeaderBytes, derpKeyBytes } from "@slipway/wire/derp/header";

/** The time for a connection, from the lookup of the name to the end of the login (docs/protocol/tailnet.md §4.2). */
export const connectTimeoutMs = 10_000;
/** The time without a frame after which a relay counts as lost (docs/protocol/tailnet.md §4.5). */
export const silenceTimeoutMs = 120_000;
/** The time for the answer to a ping after the network has changed (docs/protocol/tailnet.md §4.5). */
export const checkTimeoutMs = 3_000;
/** The time for which a relay may leave bytes unread. */
export const unreadTimeoutMs = 10_000;
/** The largest payload of a relay's greeting (docs/protocol/tailnet.md §4.5). */
export const maxGreetingBytes = 1024;
/** The bytes of frames that wait for one relay; the oldest make room. */
export const maxQueuedBytes = 512 * 1024;
/** The bytes handed to the system at a time. */
export const batchBytes = 128 * 1024;
/** The bytes of waiting pongs and other notices; further ones are dropped. */
export const maxNoticeBytes = 4 * 1024;
/** The overhead of a packet, in bytes. */
export const packetOverheadBytes = derpHeaderBytes + derpKeyBytes;
/** The longest time that a restarting relay can make its clients wait. */
export const maxRestartWaitMs = 30_000;
/** The longest delay between two attempts (docs/protocol/tailnet.md §2.8). */
export const maxBackoffMs = 5_000;
/** The lifetime after which a connection counts as a success, so that attempts begin with the shortest delay. */
export const steadyAfterMs = 10_000;
/** The length to which a text of the relay is truncated. */
export const maxTextLength = 512;
/** The time to send what waits when a connection is closed. */
export const drainTimeoutMs = 1_000;
/**
 * The time without a packet to send after which a connection other than home is closed
 * (docs/protocol/tailnet.md §2.8).
 */
export const idleTimeoutMs = 60_000;
/** The number of peers whose last connection is remembered; the one not heard from for longest makes room. */
export const maxReverseRoutes = 16_384;
/** Bounds of a DERP map. */
export const maxRegions = 1_024;
export const maxNodesPerRegion = 64;
