/** The reason why the relay closed a connection. */
export type CloseReason =
  | "login-timeout"
  | "login-refused"
  | "protocol-error"
  | "unread-output"
  | "too-many-connections"
  | "closed-by-mesh"
  | "silent-link"
  | "own-relay"
  | "stranger"
  | "too-many-strangers"
  | "unfinished-frame"
  | "shutdown";

/** Counts since the relay was opened; only the relay writes them. */
export interface RelayCounters {
  /** Clients that are logged in now, and links to and from other relays. */
  clients: number;
  links: number;
  logins: number;
  /** Packets received, and the bytes of their frames. */
  packets: number;
  packetBytes: number;
  /** Packets forwarded to another relay. */
  forwardedPackets: number;
  /** Packets that were dropped: the queue was full, or no client has the key of their destination. */
  droppedPackets: { queueFull: number; unknownDestination: number };
  /** Bytes that currently wait for clients, including the cost of keeping them. */
  queuedBytes: number;
  /** Pairs of a client and another to which it has sent packets. */
  rememberedPairs: number;
  readonly closed: Record<CloseReason, number>;
}

export function createCounters(): RelayCounters {
  return {
    clients: 0,
    links: 0,
    logins: 0,
    packets: 0,
    packetBytes: 0,
    forwardedPackets: 0,
    droppedPackets: { queueFull: 0, unknownDestination: 0 },
    queuedBytes: 0,
    rememberedPairs: 0,
    closed: {
      "login-timeout": 0,
      "login-refused": 0,
      "protocol-error": 0,
      "unread-output": 0,
      "too-many-connections": 0,
      "closed-by-mesh": 0,
      "silent-link": 0,
      "own-relay": 0,
      stranger: 0,
      "too-many-strangers": 0,
      "unfinished-frame": 0,
      shutdown: 0,
    },
  };
}
