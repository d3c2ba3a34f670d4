/** The default maximum buffers: those of a stock peer (docs/protocol/tailnet.md §7.1). */
const defaultReceiveBytes = 6 * 1024 * 1024;
const defaultSendBytes = 4 * 1024 * 1024;

/** The time without progress after which an unresponsive peer is given up (RFC 9293 §3.8.3, R2). */
const defaultUserTimeoutMs = 120_000;

/** The ends of a connection and its secrets, which the caller generates for each connection. */
export interface TcpFlow {
  readonly localPort: number;
  readonly remotePort: number;
  /** The sum of the pseudo-header's addresses and next header, for checksums. */
  readonly addressSum: number;
  /** Unsigned 32 bits that a stranger cannot guess (RFC 6528). */
  readonly initialSequence: number;
  /** Random 32 bits for each connection, unsigned, that hide the clock (RFC 7323 §5.4). */
  readonly timestampOffset: number;
  /** The largest payload that this end accepts in a segment, options included: the longest packet less 60. */
  readonly maxSegmentBytes: number;
}

/** The limits and policies of a connection. */
export interface TcpOptions {
  /** The maximum number of received bytes kept, and so the largest window (default: 6 MiB). */
  readonly maxReceiveBytes?: number;
  /** The maximum number of written bytes kept until the peer acknowledges them (default: 4 MiB). */
  readonly maxSendBytes?: number;
  /** Holds back less than a segment until all sent data is acknowledged: Nagle (default: false). */
  readonly delaysSmallSegments?: boolean;
  /**
   * Attributes a few losses on a path with an empty queue to noise rather than to congestion, and hardly slows down
   * for them (default: true).
   */
  readonly toleratesNoise?: boolean;
  /** The time without progress after which the peer is given up (default: 120 s). */
  readonly userTimeoutMs?: number;
}

export function withDefaults(options: TcpOptions): Required<TcpOptions> {
  return {
    maxReceiveBytes: options.maxReceiveBytes ?? defaultReceiveBytes,
    maxSendBytes: options.maxSendBytes ?? defaultSendBytes,
    delaysSmallSegments: options.delaysSmallSegments ?? false,
    toleratesNoise: options.toleratesNoise ?? true,
    userTimeoutMs: options.userTimeoutMs ?? defaultUserTimeoutMs,
  };
}
