/* Times and counts of a session (docs/protocol/tailnet.md §5.5); times in milliseconds. */

/** The age of a key from which its initiator asks for a new one. */
export const rekeyAfterMs = 120_000;
/** The age from which a key is neither used nor accepted. */
export const rejectAfterMs = 180_000;
/** The time between two initiations to one peer, without the jitter. */
export const rekeyTimeoutMs = 5000;
export const maxJitterMs = 333;
/** The number of initiations without a response after which a peer is given up. */
export const maxAttempts = 20;
/** The time after data was received in which something must be sent. */
export const keepAliveMs = 10_000;
/** The time after data was sent in which something must be received. */
export const stalledMs = keepAliveMs + rekeyTimeoutMs;
/** The age from which an initiator that receives asks for a new key, so that it has one before the old is rejected. */
export const rekeyOnReceiveMs = rejectAfterMs - stalledMs;
/** The time after the last derivation of keys after which all are forgotten. */
export const wipeAfterMs = 3 * rejectAfterMs;

/**
 * The messages after which a key is renewed, and is not used any more. The protocol's numbers are 2^60 and nearly 2^64,
 * and numbers are exact up to 2^53: no key lives long enough for either.
 */
export const rekeyAfterMessages = 2 ** 52;
export const rejectAfterMessages = 2 ** 53 - 2 ** 13 - 1;

/** The packets that wait for a handshake, and their bytes; the oldest are dropped for a further one. */
export const maxStagedPackets = 128;
export const maxStagedBytes = 128 * 1280;
/** The least time between two initiations that are answered (§5.1). */
export const minInitiationGapMs = 20;
/** The time for which a cookie is used, and its secret kept. */
export const cookieLifeMs = 120_000;
