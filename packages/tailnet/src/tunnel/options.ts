import { type Clock, CodedError } from "@slipway/runtime";
import type { HandshakeLimits } from "@slipway/wire/wireguard/handshake-gate";

import type { TailnetCrypto } from "../crypto/crypto.ts";

export interface TunnelOptions<Source> {
  /** Our node key. */
  readonly privateKey: Uint8Array;
  readonly crypto: TailnetCrypto;
  readonly clock: Clock;
  /** Sends datagrams to a peer, all of one turn of the event loop together. The recipient owns them. */
  readonly transmit: (publicKey: Uint8Array, datagrams: readonly Uint8Array[]) => void;
  /** Receives packets in the clear: views of the datagrams in which they came. */
  readonly deliver: (packets: readonly Uint8Array[]) => void;
  /**
   * Sends a datagram back to a source that is not known to be a peer (default: such a source gets no cookies, and
   * waits).
   */
  readonly reply?: (source: Source, datagram: Uint8Array) => void;
  /** Returns a text that identifies the address of a source, for counting and challenging it (default: all are one). */
  readonly sourceText?: (source: Source) => string;
  /** Called when both sides have confirmed a handshake; `at` is monotonic. */
  readonly onHandshake?: (publicKey: Uint8Array, at: number) => void;
  /** Receives the source of genuine datagrams, once for each call of `receive`. */
  readonly onAuthenticated?: (publicKey: Uint8Array, source: Source) => void;
  readonly handshakeLimits?: Partial<HandshakeLimits>;
}

export interface PeerSettings {
  readonly publicKey: Uint8Array;
  /** The IPv6 addresses that the peer sends from and receives packets for. */
  readonly allowedAddresses: readonly Uint8Array[];
  /** The interval between messages that keep the path open; undefined for none. */
  readonly persistentKeepaliveMs: number | undefined;
}

/**
 * - `unusable-key`: a public key of low order, or not of 32 bytes.
 * - `malformed-address`: an address of other than 16 bytes.
 */
export type TunnelErrorCode = "unusable-key" | "malformed-address";

/** A call that the tunnel refused. */
export class TunnelError extends CodedError<TunnelErrorCode> {
  override readonly name = "TunnelError";
  readonly retryable = false;
}
