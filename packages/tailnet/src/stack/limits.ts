/** Limits on what peers can make the stack hold. */
export interface StackLimits {
  /** TCP connections in any state but TIME-WAIT (default: 8192): SYNs beyond it are dropped. */
  readonly maxConnections: number;
  /** The same for one peer (default: 2048). */
  readonly maxConnectionsPerPeer: number;
  /** Ended TCP connections that wait for old segments (default: 2048): the oldest makes room. */
  readonly maxTimeWait: number;
  /** Connections that a listener holds until they are taken, half-open ones included (default: 256). */
  readonly backlog: number;
  /**
   * Bytes of memory that the data of all TCP connections occupies (default: 256 MiB): beyond it the largest
   * connection of the peer with the largest share is reset.
   */
  readonly maxTcpBytes: number;
  /** SYNs to ports without a listener that wait for a decision (default: 256). */
  readonly maxRequests: number;
  /** Datagrams that wait in a UDP socket (default: 256): further ones are dropped. */
  readonly maxDatagrams: number;
}

export const defaultLimits: StackLimits = {
  maxConnections: 8192,
  maxConnectionsPerPeer: 2048,
  maxTimeWait: 2048,
  backlog: 256,
  maxTcpBytes: 256 * 1024 * 1024,
  maxRequests: 256,
  maxDatagrams: 256,
};
