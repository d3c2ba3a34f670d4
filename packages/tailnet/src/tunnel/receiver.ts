import { aeadTagBytes } from "@slipway/wire/wireguard/crypto";
import type { IndexTable } from "@slipway/wire/wireguard/index-table";
import {
  minTransportBytes,
  transportHeaderBytes,
  transportReceiver,
} from "@slipway/wire/wireguard/message";
import type { TransportSession } from "@slipway/wire/wireguard/transport-session";
import type { IndexEntry, WireguardPeer } from "@slipway/wire/wireguard/wireguard-peer";

import type { AddressRoutes } from "./address-routes.ts";
import { packetEnd, sourceOffset } from "./packet.ts";

/** The parts of the tunnel that decryption needs. */
export interface ReceiverNeeds {
  readonly indices: IndexTable<IndexEntry>;
  readonly routes: AddressRoutes<WireguardPeer>;
  /** Called when genuine messages of a peer have arrived. */
  readonly received: (peer: WireguardPeer, session: TransportSession, hasData: boolean) => void;
}

/**
 * Decrypts a batch of transport messages. Consecutive messages with the same index share one lookup, and the
 * bookkeeping of such a row is done at its end.
 */
export class Receiver {
  readonly #needs: ReceiverNeeds;
  #now = 0;
  #index = -1;
  #entry: IndexEntry | undefined;
  #count = 0;
  #hasData = false;
  #hasUnknown = false;
  #packets: Uint8Array[] = [];

  constructor(needs: ReceiverNeeds) {
    this.#needs = needs;
  }

  /** True if the batch had a message without a usable session. */
  get hasUnknown(): boolean {
    return this.#hasUnknown;
  }

  /** Begins a batch. */
  start(now: number): void {
    this.#now = now;
    this.#hasUnknown = false;
    this.#index = -1;
    this.#entry = undefined;
  }

  /** Decrypts a message; drops a forged one, or one from an address that is not its sender's. */
  open(message: Uint8Array): void {
    const index = transportReceiver(message);
    if (index !== this.#index) this.#turnTo(index);
    const entry = this.#entry;
    if (entry?.session === undefined || !entry.session.open(message)) return;
    this.#count += 1;
    if (message.length === minTransportBytes) return;
    this.#hasData = true;
    const limit = message.length - aeadTagBytes;
    const end = packetEnd(message, transportHeaderBytes, limit);
    if (end === undefined) return;
    const owner = this.#needs.routes.find(message, transportHeaderBytes + sourceOffset);
    if (owner === entry.peer) this.#packets.push(message.subarray(transportHeaderBytes, end));
  }

  /** Ends the row: handshakes may change the meaning of an index. */
  endRow(): void {
    const entry = this.#entry;
    const hasData = this.#hasData;
    const count = this.#count;
    this.#index = -1;
    this.#entry = undefined;
    this.#count = 0;
    this.#hasData = false;
    if (entry?.session === undefined || count === 0) return;
    this.#needs.received(entry.peer, entry.session, hasData);
  }

  /** Ends the batch and returns its packets. */
  take(): readonly Uint8Array[] {
    this.endRow();
    const packets = this.#packets;
    if (packets.length > 0) this.#packets = [];
    return packets;
  }

  #turnTo(index: number): void {
    this.endRow();
    const entry = this.#needs.indices.get(index);
    this.#index = index;
    this.#entry = entry?.session?.isUsable(this.#now) === true ? entry : undefined;
    if (this.#entry === undefined) this.#hasUnknown = true;
  }
}
