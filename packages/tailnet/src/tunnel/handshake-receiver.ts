import { encodeHex } from "@slipway/wire/bytes/hex";
import { openInitiation } from "@slipway/wire/wireguard/handshake";
import { defaultHandshakeLimits, HandshakeGate } from "@slipway/wire/wireguard/handshake-gate";
import type { LocalIdentity } from "@slipway/wire/wireguard/identity";
import type { IndexTable } from "@slipway/wire/wireguard/index-table";
import {
  parseCookieReply,
  parseHandshakeResponse,
  parseInitiation,
} from "@slipway/wire/wireguard/message";
import type { WireguardMessageKind } from "@slipway/wire/wireguard/message";
import type { IndexEntry, WireguardPeer } from "@slipway/wire/wireguard/wireguard-peer";

import type { TunnelOptions } from "./options.ts";

/** The sender of a message. */
export interface HandshakeSource<Source> {
  readonly source: Source;
  /** The sender's key, if the path vouches for it, as a relay does. */
  readonly publicKey: Uint8Array | undefined;
}

/** The parts of the tunnel that handshakes need. */
export interface HandshakeReceiverNeeds<Source> {
  readonly options: Pick<
    TunnelOptions<Source>,
    "handshakeLimits" | "reply" | "sourceText" | "transmit"
  >;
  readonly local: LocalIdentity;
  readonly indices: IndexTable<IndexEntry>;
  /** Returns the peer with a public key. */
  readonly find: (publicKey: Uint8Array) => WireguardPeer | undefined;
  /** Called for each genuine message of a peer. */
  readonly authenticated: (peer: WireguardPeer) => void;
}

/** Handles handshake messages, which anyone may send (docs/protocol/tailnet.md §5). */
export class HandshakeReceiver<Source> {
  readonly #needs: HandshakeReceiverNeeds<Source>;
  readonly #gate: HandshakeGate;

  constructor(needs: HandshakeReceiverNeeds<Source>) {
    const { local, options } = needs;
    this.#needs = needs;
    this.#gate = new HandshakeGate(local, {
      ...defaultHandshakeLimits,
      ...options.handshakeLimits,
    });
  }

  /** Handles a message; drops it unless it is part of a handshake. */
  receive(
    kind: WireguardMessageKind | undefined,
    message: Uint8Array,
    from: HandshakeSource<Source>,
    now: number,
  ): void {
    if (kind === "initiation") this.#receiveInitiation(message, from, now);
    else if (kind === "response") this.#receiveResponse(message, now);
    else if (kind === "cookie-reply") this.#receiveCookie(message, now);
  }

  #receiveInitiation(message: Uint8Array, from: HandshakeSource<Source>, now: number): void {
    const { local, find, authenticated } = this.#needs;
    const admission = this.#gate.admit(message, this.#textOf(from), now);
    if (admission.kind === "challenged") this.#challenge(admission.reply, from);
    if (admission.kind !== "admitted") return;
    const opened = openInitiation(local, parseInitiation(message));
    if (opened === undefined) return;
    const { publicKey } = from;
    if (publicKey !== undefined && encodeHex(opened.remoteKey) !== encodeHex(publicKey)) return;
    const peer = find(opened.remoteKey);
    if (peer?.receiveInitiation(opened, now) === true) authenticated(peer);
  }

  /** Returns the text by which a sender is counted and challenged. */
  #textOf({ source, publicKey }: HandshakeSource<Source>): string {
    if (publicKey !== undefined) return `key ${encodeHex(publicKey)}`;
    return this.#needs.options.sourceText?.(source) ?? "";
  }

  #challenge(reply: Uint8Array, { source, publicKey }: HandshakeSource<Source>): void {
    const { options } = this.#needs;
    if (publicKey === undefined) options.reply?.(source, reply);
    else options.transmit(publicKey, [reply]);
  }

  #receiveResponse(message: Uint8Array, now: number): void {
    const response = parseHandshakeResponse(message);
    const peer = this.#needs.indices.get(response.receiver)?.peer;
    if (peer === undefined || !this.#gate.isResponse(message)) return;
    if (peer.receiveResponse(response, now)) this.#needs.authenticated(peer);
  }

  #receiveCookie(message: Uint8Array, now: number): void {
    const reply = parseCookieReply(message);
    this.#needs.indices.get(reply.receiver)?.peer.receiveCookie(reply, now);
  }
}
