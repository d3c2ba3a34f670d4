/* Times and counts of a session (docs/protocol/tailnet.md §5.5); times in milliseconds. */

/** The age of a key at which its initiator requests a new one. */
export const rekeyAfterMs = 120_000;
/** The age at which a key is no longer used or accepted. */
export const rejectAfterMs = 180_000;
/** The interval between two initiations to one peer, without the jitter. */
export const rekeyTimeoutMs = 5000;
export const maxJitterMs = 333;
/** The number of initiations without a response after which a peer is given up. */
export const maxAttempts = 20;
/** The time after received data within which something must be sent. */
export const keepAliveMs = 10_000;
/** The time after sent data within which something must be received. */
export const stalledMs = keepAliveMs + rekeyTimeoutMs;
/**
 * The age at which an initiator that only receives requests a new key, so that it has one before the old one is
 * rejected.
 */
export const rekeyOnReceiveMs = rejectAfterMs - stalledMs;
/** The time after the last derivation of keys after which all are forgotten. */
export const wipeAfterMs = 3 * rejectAfterMs;

/**
 * The number of messages after which a key is renewed, and no longer used. The protocol's numbers are 2^60 and nearly
 * 2^64, and numbers are exact up to 2^53: no key lives long enough for either.
 */
export const rekeyAfterMessages = 2 ** 52;
export const rejectAfterMessages = 2 ** 53 - 2 ** 13 - 1;

/** The number of packets that wait for a handshake, and their bytes; the oldest make room. */
export const maxStagedPackets = 128;
export const maxStagedBytes = 128 * 1280;
/** The minimum interval between two answered initiations (§5.1). */
export const minInitiationGapMs = 20;
/** The time for which a cookie is valid, and its secret kept. */
export const cookieLifeMs = 120_000;
