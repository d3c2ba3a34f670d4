import { writeUint64Le } from "../bytes/integers.ts";
import type { Aead, Ciphers } from "./crypto.ts";
import type { SessionKeys } from "./handshake.ts";
import {
  rejectAfterMessages,
  rejectAfterMs,
  rekeyAfterMessages,
  rekeyAfterMs,
  rekeyOnReceiveMs,
} from "./limits.ts";
import {
  transportBytes,
  transportCounter,
  transportHeaderBytes,
  writeTransportHeader,
} from "./message.ts";
import { ReplayWindow } from "./replay-window.ts";

export interface SessionOrigin {
  readonly isInitiator: boolean;
  /** The indices of our side and of the peer's. */
  readonly localIndex: number;
  readonly remoteIndex: number;
  readonly createdAt: number;
}

const nonceBytes = 12;

/** One pair of keys with its counters: encrypts and decrypts transport messages in place. */
export class TransportSession {
  readonly origin: SessionOrigin;
  readonly #send: Aead;
  readonly #receive: Aead;
  readonly #nonce = new Uint8Array(nonceBytes);
  readonly #window = new ReplayWindow();
  #counter = 0;
  #hasRekeyedOnReceive = false;

  constructor(crypto: Ciphers, keys: SessionKeys, origin: SessionOrigin) {
    this.origin = origin;
    this.#send = crypto.chacha20Poly1305(keys.send);
    this.#receive = crypto.chacha20Poly1305(keys.receive);
  }

  /** Returns true while the keys may be used at all. */
  isUsable(now: number): boolean {
    return now - this.origin.createdAt < rejectAfterMs && this.#counter < rejectAfterMessages;
  }

  /** Returns true if the session should be renewed, which only the initiator requests. */
  isOld(now: number): boolean {
    if (!this.origin.isInitiator) return false;
    return now - this.origin.createdAt >= rekeyAfterMs || this.#counter >= rekeyAfterMessages;
  }

  /** Returns true once for a session that is about to end while only the other side sends. */
  isOldToReceive(now: number): boolean {
    if (this.#hasRekeyedOnReceive || !this.origin.isInitiator) return false;
    if (now - this.origin.createdAt < rekeyOnReceiveMs) return false;
    this.#hasRekeyedOnReceive = true;
    return true;
  }

  /** Encrypts a message in place: the packet lies between room for its header and room for the tag. */
  seal(message: Uint8Array): void {
    const counter = this.#counter;
    this.#counter += 1;
    writeTransportHeader(message, this.origin.remoteIndex, counter);
    writeUint64Le(this.#nonce, 4, counter);
    this.#send.seal(message.subarray(transportHeaderBytes), this.#nonce);
  }

  /** Returns a new message with a packet; an empty packet only keeps the path open. */
  sealPacket(packet: Uint8Array): Uint8Array {
    const message = new Uint8Array(transportBytes(packet.length));
    message.set(packet, transportHeaderBytes);
    this.seal(message);
    return message;
  }

  /**
   * Decrypts a message in place: its packet and padding lie between header and tag. Returns false for a forged,
   * repeated or expired message.
   */
  open(message: Uint8Array): boolean {
    const counter = transportCounter(message);
    if (counter >= rejectAfterMessages || !this.#window.isFresh(counter)) return false;
    writeUint64Le(this.#nonce, 4, counter);
    if (!this.#receive.open(message.subarray(transportHeaderBytes), this.#nonce)) return false;
    this.#window.mark(counter);
    return true;
  }
}
