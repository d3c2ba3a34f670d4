import type { DerpNode } from "./derp-map.ts";

/** The carrier of a connection (docs/protocol/tailnet.md §4.2, §4.3). */
export type RelayTransport = "upgrade" | "websocket";

/** The reading end of a stream. */
export interface RelayReceiver {
  /** Takes ownership of bytes in chunks of any size, and may change them. */
  receive(chunk: Uint8Array): void;
  /** Called once when the stream is over, whichever side ended it. */
  closed(reason: string | undefined): void;
}

/** The bytes of one connection to a relay, in order. Its dialer destroys it. */
export interface RelayStream {
  /** Starts reading; nothing is read before. */
  start(receiver: RelayReceiver): void;
  /**
   * Sends the pieces, which the stream then owns, and calls `sent` once the system has accepted them; never, if the
   * stream closes first. The sender waits for `sent` before it sends more.
   */
  send(pieces: readonly Uint8Array[], sent: () => void): void;
  /** Closes once everything has been sent. */
  end(): void;
  /** Closes immediately. Idempotent. */
  destroy(): void;
}

/** Opens streams to relays. */
export interface RelayDialer {
  /** False if only WebSockets exist, as in a browser. */
  readonly canUpgrade: boolean;
  /** Throws `RelayError`, or the signal's reason. */
  dial(node: DerpNode, transport: RelayTransport, signal: AbortSignal): Promise<RelayStream>;
}
