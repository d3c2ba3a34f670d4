import { joinBytes } from "@slipway/wire/bytes/join";

/** A message as a socket of `ws` delivers it. */
export type SocketData = Uint8Array | ArrayBuffer | readonly Uint8Array[];

/** Returns the bytes of a message, copied only if it arrives in pieces. */
export function bytesOf(data: SocketData): Uint8Array {
  if (data instanceof Uint8Array) return data;
  return data instanceof ArrayBuffer ? new Uint8Array(data) : joinBytes(data);
}

/** The message interface of an open WebSocket; a socket of `ws` implements it. */
export interface RawSocket {
  /** The number of sent bytes that the kernel has not accepted. */
  readonly bufferedAmount: number;
  readonly isPaused: boolean;
  /** Stops reading from the peer until `resume`. */
  pause(): void;
  resume(): void;
  /** Sends one binary message; calls `onSent` once the kernel has accepted it, or it is lost. */
  send(bytes: Uint8Array, onSent: () => void): void;
  on(event: "message", listener: (data: SocketData, isBinary: boolean) => void): unknown;
}

/** The WebSocket under a session. Its opener ensures that a peer that does not answer a close is cut off. */
export interface RpcSocket {
  readonly raw: RawSocket;
  /** Aborted once the socket is closed or broken; its reason describes the cause. */
  readonly signal: AbortSignal;
  /** Starts the closing handshake. Idempotent. */
  close(code: number, reason: string): void;
}
