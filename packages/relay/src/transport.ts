/** The carrier of one connection's bytes, in order: a socket, a WebSocket, a pipe. A session sends, its owner receives. */
export interface RelayTransport {
  /**
   * Sends the pieces, which the transport then owns, and calls `sent` once the system has accepted them; never, if
   * the connection closes first. A session waits for `sent` before it sends more.
   */
  send(pieces: readonly Uint8Array[], sent: () => void): void;
  /** Stops reading, so that the peer must wait. */
  pause(): void;
  resume(): void;
  /** Closes the connection once everything has been sent. */
  end(): void;
  /** Closes the connection immediately. */
  destroy(): void;
}

/** A session of this relay at another one. */
export interface RelayLink extends RelaySession {
  /**
   * True if it ended after this relay's login, before the other one has proved its identity: the other belongs to
   * another mesh or release.
   */
  readonly isRefused: boolean;
}

/** The receiving end of a session, which the owner of its transport calls. */
export interface RelaySession {
  /** Takes ownership of bytes of the peer, in chunks of any size, and changes them. */
  receive(chunk: Uint8Array): void;
  /** Ends the session after its transport has closed. Idempotent. */
  closed(): void;
}
