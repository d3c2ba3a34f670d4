/** Limits of one relay, and of one client of it. */
export interface RelayLimits {
  /** Bytes that may wait for one client, with the cost of keeping them. */
  readonly maxQueuedBytesPerClient: number;
  /** Bytes that may wait for all clients; as they run out, each client may have fewer. */
  readonly maxQueuedBytes: number;
  /**
   * Bytes a second that one client may send, with the costs of their frames and receivers; a client that sends more has to
   * wait. `Infinity` is unlimited.
   */
  readonly maxBytesPerSecond: number;
  /** Strangers that may be connected at once, in all and from one address; one more closes the oldest. */
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
 * Costs of what a client sends, in the bytes that cost the relay as much processor time: each frame, each receiver that is
 * to be woken (once a turn, in which it gets all in one write), and a login, which is asymmetric cryptography.
 */
export const frameCostBytes = 256;
export const receiverCostBytes = 2 * 1024;
export const loginCostBytes = 32 * 1024;
/** The cost after which others have their turn. */
export const sliceCostBytes = 64 * 1024;

/** The same for a stranger, who waits more than it sends. */
export const strangerSliceCostBytes = 16 * 1024;
/** The costs that strangers may cause: each one, those of one address, and all of them. */
export const strangerRate = { burst: 256 * 1024, perSecond: 64 * 1024 } as const;
export const strangersOfAddressRate = { burst: 4 * 1024 ** 2, perSecond: 1024 ** 2 } as const;
export const allStrangersRate = { burst: 16 * 1024 ** 2, perSecond: 4 * 1024 ** 2 } as const;
/** The bytes that may wait for a stranger, with the cost of keeping them. */
export const maxQueuedBytesPerStranger = 64 * 1024;
/** The time after its login within which a peer publishes its key; stock peers need a few seconds. */
export const strangerTimeoutMs = 30_000;

/** The bytes of frames that are not complete, of all clients, and the time for each to become so. */
export const unfinishedLimits = { maxBytes: 64 * 1024 ** 2, timeoutMs: 60_000 } as const;

/** The largest login; those of stock clients have 104 bytes. */
export const maxLoginBytes = 16 * 1024;
/** The time for each step of a login (docs/protocol/tailnet.md §4.5). */
export const loginTimeoutMs = 10_000;
/** The time that a client may leave bytes unread before it is disconnected. */
export const unreadTimeoutMs = 10_000;
/** The interval of keep-alives: the sum of this and a random part of the spread, chosen once for each connection. */
export const keepAliveMs = 60_000;
export const keepAliveSpreadMs = 5_000;
/** The time after which a silent link to another relay is given up; keep-alives come more often. */
export const silentLinkMs = 120_000;
/** The connections of one key; another one closes the one that was silent longest. */
export const maxConnectionsPerKey = 8;
/** The bytes of answers and notices that may wait for a client; those beyond are dropped. */
export const maxNoticeBytes = 32 * 1024;
/** The same for another relay, which is disconnected instead: it needs every notice. */
export const maxMeshNoticeBytes = 16 * 1024 * 1024;
/** The keys that one client is remembered to have sent packets to, to tell their owners when it leaves; and all clients. */
export const maxRememberedDestinations = 8_192;
export const maxRememberedPairs = 512 * 1024;
export const maxRememberedDestinationsOfStranger = 256;
/** The keys that one link to another relay may announce. */
export const maxAnnouncedKeys = 1_000_000;
