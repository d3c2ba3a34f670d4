import { DiscoError, encodeDiscoMessage, parseDiscoMessage } from "@slipway/wire/disco/message";
import type { DiscoMessage } from "@slipway/wire/disco/message";
import { discoNonceBytes, encodeDiscoPacket, parseDiscoPacket } from "@slipway/wire/disco/packet";

import type { TailnetCrypto } from "../crypto/crypto.ts";
import { keyText } from "../identity/key.ts";

/** A pair of disco keys. */
export interface DiscoKeys {
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
}

/** An opened packet: a message and the digits of the key that sealed it. */
export interface OpenedMessage {
  readonly senderKey: string;
  readonly message: DiscoMessage;
}

interface Box {
  /** The key that both sides derive; undefined if the peer's public key is of low order. */
  readonly key: Uint8Array | undefined;
  /** The peers that use it. */
  users: number;
}

/** Seals messages to known peers and opens theirs. An unknown sender costs a lookup, never a key exchange. */
export class DiscoSealer {
  readonly #crypto: Pick<TailnetCrypto, "boxKey" | "sealBox" | "openBox" | "randomBytes">;
  readonly #keys: DiscoKeys;
  readonly #boxes = new Map<string, Box>();

  constructor(
    crypto: Pick<TailnetCrypto, "boxKey" | "sealBox" | "openBox" | "randomBytes">,
    keys: DiscoKeys,
  ) {
    this.#crypto = crypto;
    this.#keys = keys;
  }

  /** Derives the key for a peer; each `add` needs its own `remove`. */
  add(discoKey: Uint8Array): void {
    const text = keyText(discoKey);
    const known = this.#boxes.get(text);
    if (known !== undefined) known.users += 1;
    else {
      const key = this.#crypto.boxKey(this.#keys.privateKey, discoKey);
      this.#boxes.set(text, { key, users: 1 });
    }
  }

  remove(discoKey: Uint8Array): void {
    const text = keyText(discoKey);
    const box = this.#boxes.get(text);
    if (box === undefined) return;
    box.users -= 1;
    if (box.users === 0) this.#boxes.delete(text);
  }

  /** Returns the packet of a message to a peer that was added; undefined if its key is of low order. */
  seal(discoKey: Uint8Array, message: DiscoMessage, packetBytes: number): Uint8Array | undefined {
    const key = this.#boxes.get(keyText(discoKey))?.key;
    if (key === undefined) return undefined;
    const nonce = this.#crypto.randomBytes(discoNonceBytes);
    const box = this.#crypto.sealBox(key, nonce, encodeDiscoMessage(message, packetBytes));
    return encodeDiscoPacket({ senderKey: this.#keys.publicKey, nonce, box });
  }

  /** Opens a packet; "other" for another protocol, undefined for one that no known peer has sealed. */
  open(datagram: Uint8Array): OpenedMessage | "other" | undefined {
    const packet = parseDiscoPacket(datagram);
    if (packet === undefined) return "other";
    const senderKey = keyText(packet.senderKey);
    const key = this.#boxes.get(senderKey)?.key;
    const bytes = key && this.#crypto.openBox(key, packet.nonce, packet.box);
    const message = bytes && parseMessage(bytes);
    return message && { senderKey, message };
  }
}

function parseMessage(bytes: Uint8Array): DiscoMessage | undefined {
  try {
    return parseDiscoMessage(bytes);
  } catch (error) {
    // The peer sealed it, but speaks another dialect.
    if (error instanceof DiscoError) return undefined;
    throw error;
  }
}
