import type { TailnetCrypto } from "@slipway/tailnet/crypto/crypto";
import { nobleCrypto } from "@slipway/tailnet/crypto/noble-crypto";
import type { TunnelOptions } from "@slipway/tailnet/tunnel/options";
import { Tunnel } from "@slipway/tailnet/tunnel/tunnel";
import { IpProtocol, ipv6HeaderBytes, writeIpv6Header } from "@slipway/wire/ip/ipv6";

import { createFakeClock, type FakeClock } from "../clock/fake-clock.ts";
import { createSeededCrypto } from "../crypto.ts";
import { type LinkOptions, VirtualLink } from "./virtual-link.ts";

export interface TunnelPairOptions {
  readonly seed: number;
  /** The link in both directions (default: no delay, no faults). */
  readonly link?: LinkOptions;
  /** The cryptography that the seeded one wraps (default: that of `@noble`). */
  readonly crypto?: TailnetCrypto;
  readonly persistentKeepaliveMs?: number;
  readonly tunnel?: Partial<TunnelOptions<string>>;
}

const noFaults: LinkOptions = { delayMs: 0 };

/** One of two tunnels, with a record of its events. */
export interface TunnelEnd {
  readonly tunnel: Tunnel<string>;
  readonly address: Uint8Array;
  /** Copies of the packets that were delivered. */
  readonly packets: Uint8Array[];
  /** The datagrams that it has sent, copied before they were decrypted. */
  readonly sent: Uint8Array[];
  /** The number of batches in which it has sent them. */
  readonly batches: number;
  readonly handshakes: readonly number[];
  readonly sources: readonly string[];
  /** False while everything that it sends is lost. */
  isConnected: boolean;
  /** The source under which its datagrams arrive. */
  source: string;
}

/** Two tunnels over two links in virtual time. Each is the other's only peer. */
export class TunnelPair implements AsyncDisposable {
  readonly clock: FakeClock;
  readonly one: TunnelEnd;
  readonly other: TunnelEnd;

  constructor(options: TunnelPairOptions) {
    const { seed, link = noFaults, crypto = nobleCrypto } = options;
    const clock = createFakeClock();
    const seeded = createSeededCrypto(seed, crypto);
    const one: End = new End(1, { clock, crypto: seeded, options }, (datagrams) =>
      toOther.send(datagrams),
    );
    const other: End = new End(2, { clock, crypto: seeded, options }, (datagrams) =>
      toOne.send(datagrams),
    );
    const toOther = new VirtualPath(clock, new VirtualLink(link, seed + 1), (datagrams) =>
      other.tunnel.receive(datagrams, one.source, undefined),
    );
    const toOne = new VirtualPath(clock, new VirtualLink(link, seed + 2), (datagrams) =>
      one.tunnel.receive(datagrams, other.source, undefined),
    );
    const { persistentKeepaliveMs } = options;
    for (const [end, peer] of [
      [one, other],
      [other, one],
    ] as const) {
      end.tunnel.setPeer({
        publicKey: peer.tunnel.publicKey,
        allowedAddresses: [peer.address],
        persistentKeepaliveMs: end === one ? persistentKeepaliveMs : undefined,
      });
    }
    this.clock = clock;
    this.one = one;
    this.other = other;
  }

  /** Sends packets with these payloads from one end to the other, in one call. */
  send(from: "one" | "other", payloads: readonly Uint8Array[]): void {
    const [source, destination] = from === "one" ? [this.one, this.other] : [this.other, this.one];
    source.tunnel.send(payloads.map((payload) => packetTo(destination, source, payload)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.one.tunnel.close();
    await this.other.tunnel.close();
  }
}

/** Returns an IPv6 packet between two addresses. */
export function packetTo(
  destination: { readonly address: Uint8Array },
  source: { readonly address: Uint8Array },
  payload: Uint8Array,
): Uint8Array {
  const packet = new Uint8Array(ipv6HeaderBytes + payload.length);
  const header = {
    source: source.address,
    destination: destination.address,
    nextHeader: IpProtocol.udp,
  };
  writeIpv6Header(packet, 0, header, payload.length);
  packet.set(payload, ipv6HeaderBytes);
  return packet;
}

class End implements TunnelEnd {
  readonly tunnel: Tunnel<string>;
  readonly address: Uint8Array;
  readonly packets: Uint8Array[] = [];
  readonly sent: Uint8Array[] = [];
  readonly handshakes: number[] = [];
  readonly sources: string[] = [];
  batches = 0;
  isConnected = true;
  source: string;

  constructor(
    host: number,
    needs: {
      readonly clock: FakeClock;
      readonly crypto: TailnetCrypto;
      readonly options: TunnelPairOptions;
    },
    send: (datagrams: readonly Uint8Array[]) => void,
  ) {
    const { clock, crypto, options } = needs;
    const transmit = (datagrams: readonly Uint8Array[]): void => {
      this.batches += 1;
      this.sent.push(...datagrams.map((datagram) => datagram.slice()));
      if (this.isConnected) send(datagrams);
    };
    this.source = `path ${String(host)}`;
    this.address = Uint8Array.from({ length: 16 }, (_, at) => (at === 15 ? host : 0xfd));
    this.tunnel = new Tunnel<string>({
      privateKey: new Uint8Array(32).fill(host),
      crypto,
      clock,
      transmit: (_, datagrams) => transmit(datagrams),
      deliver: (packets) => void this.packets.push(...packets.map((packet) => packet.slice())),
      reply: (_, datagram) => transmit([datagram]),
      sourceText: (source) => source,
      onHandshake: (_, at) => void this.handshakes.push(at),
      onAuthenticated: (_, source) => void this.sources.push(source),
      ...options.tunnel,
    });
  }
}

/** A link that delivers by itself as the clock advances. */
class VirtualPath {
  readonly #clock: FakeClock;
  readonly #link: VirtualLink;
  readonly #deliver: (datagrams: readonly Uint8Array[]) => void;
  #waitsUntil = Number.POSITIVE_INFINITY;

  constructor(
    clock: FakeClock,
    link: VirtualLink,
    deliver: (datagrams: readonly Uint8Array[]) => void,
  ) {
    this.#clock = clock;
    this.#link = link;
    this.#deliver = deliver;
  }

  send(datagrams: readonly Uint8Array[]): void {
    for (const datagram of datagrams) this.#link.send(datagram, this.#clock.monotonic());
    this.#wait();
  }

  #wait(): void {
    const at = this.#link.nextArrival;
    if (at === undefined || at >= this.#waitsUntil) return;
    this.#waitsUntil = at;
    const { signal } = new AbortController();
    void this.#clock.sleep(at - this.#clock.monotonic(), signal).then(() => this.#arrive());
  }

  #arrive(): void {
    this.#waitsUntil = Number.POSITIVE_INFINITY;
    const now = this.#clock.monotonic();
    const arrived: Uint8Array[] = [];
    for (let one = this.#link.receive(now); one; one = this.#link.receive(now)) arrived.push(one);
    if (arrived.length > 0) this.#deliver(arrived);
    this.#wait();
  }
}
