/** Limits of one relay, and of each client. */
export interface RelayLimits {
  /** Bytes that may wait for one client, including the cost of keeping them. */
  readonly maxQueuedBytesPerClient: number;
  /** Bytes that may wait for all clients; as they run out, the share of each client shrinks. */
  readonly maxQueuedBytes: number;
  /**
   * Bytes per second that one client may send, including the costs of frames and receivers; a client that sends more
   * must wait. `Infinity` is unlimited.
   */
  readonly maxBytesPerSecond: number;
  /** The maximum number of connected strangers, in total and from one address; one more closes the oldest. */
  readonly maxStrangers: number;
  readonly maxStrangersPerAddress: number;
}

export const defaultRelayLimits: RelayLimits = {
  maxQueuedBytesPerClient: 512 * 1024,
  maxQueuedBytes: 64 * 1024 * 1024,
  maxBytesPerSecond: Infinity,
  maxStrangers: 1_024,
  maxStrangersPerAddress: 512,
};

/*
 * Costs of a client's frames, in bytes that take the relay as much processor time: per frame, per receiver that must
 * be woken (once per turn, when it gets everything in one write), and per login, which is asymmetric cryptography.
 */
export const frameCostBytes = 256;
export const receiverCostBytes = 2 * 1024;
export const loginCostBytes = 32 * 1024;
/** The cost after which it is the turn of others. */
export const sliceCostBytes = 64 * 1024;

/** The same for a stranger, who mostly waits. */
export const strangerSliceCostBytes = 16 * 1024;
/** The costs that strangers may cause: each one, all of one address, and all together. */
export const strangerRate = { burst: 256 * 1024, perSecond: 64 * 1024 } as const;
export const strangersOfAddressRate = { burst: 4 * 1024 ** 2, perSecond: 1024 ** 2 } as const;
export const allStrangersRate = { burst: 16 * 1024 ** 2, perSecond: 4 * 1024 ** 2 } as const;
/** The bytes that may wait for a stranger, including the cost of keeping them. */
export const maxQueuedBytesPerStranger = 64 * 1024;
/** The time after its login within which a peer must publish its key; stock peers need a few seconds. */
export const strangerTimeoutMs = 30_000;

/** The bytes of incomplete frames of all clients, and the time within which each must complete. */
export const unfinishedLimits = { maxBytes: 64 * 1024 ** 2, timeoutMs: 60_000 } as const;

/** The largest login; those of stock clients have 104 bytes. */
export const maxLoginBytes = 16 * 1024;
/** The timeout of each step of a login (docs/protocol/tailnet.md §4.5). */
export const loginTimeoutMs = 10_000;
/** The time for which a client may leave bytes unread before it is disconnected. */
export const unreadTimeoutMs = 10_000;
/** The interval of keep-alives: this plus a random part of the spread, chosen once for each connection. */
export const keepAliveMs = 60_000;
export const keepAliveSpreadMs = 5_000;
/** The time after which a silent link to another relay is given up; keep-alives come more often. */
export const silentLinkMs = 120_000;
/** The maximum number of connections of one key; another one closes the one that was silent longest. */
export const maxConnectionsPerKey = 8;
/** The bytes of answers and notices that may wait for a client; further ones are dropped. */
export const maxNoticeBytes = 32 * 1024;
/** The same for another relay, which is disconnected instead: it needs every notice. */
export const maxMeshNoticeBytes = 16 * 1024 * 1024;
/**
 * The number of keys recorded as destinations of one client, and of all clients, so that they are notified when it
 * leaves.
 */
export const maxRememberedDestinations = 8_192;
export const maxRememberedPairs = 512 * 1024;
export const maxRememberedDestinationsOfStranger = 256;
/** The number of keys that one link to another relay may announce. */
export const maxAnnouncedKeys = 1_000_000;
