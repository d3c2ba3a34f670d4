/** A message as a socket of `ws` delivers it. */
export type SocketData = Uint8Array | ArrayBuffer | readonly Uint8Array[];

/** An open WebSocket, as far as its messages go; a socket of `ws` is one. */
export interface RawSocket {
  /** The number of bytes that were sent and that the kernel has not taken. */
  readonly bufferedAmount: number;
  readonly isPaused: boolean;
  /** Stops reading from the peer until `resume`. */
  pause(): void;
  resume(): void;
  /** Sends one binary message; calls `onSent` once the kernel has taken it, or it is lost. */
  send(bytes: Uint8Array, onSent: () => void): void;
  on(event: "message", listener: (data: SocketData, isBinary: boolean) => void): unknown;
}

/** The WebSocket under a session. Its opener makes sure that a peer which answers no close is cut off. */
export interface RpcSocket {
  readonly raw: RawSocket;
  /** Aborted once the socket is closed or broken; the text of its reason tells why. */
  readonly signal: AbortSignal;
  /** Starts the closing handshake. Idempotent. */
  close(code: number, reason: string): void;
}
