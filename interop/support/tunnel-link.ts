import { type Clock, systemClock } from "@slipway/runtime";
import { loadNativeCrypto } from "@slipway/tailnet/node/native-crypto";
import type { SendPackets } from "@slipway/tailnet/stack/packet-batch";
import { Tunnel } from "@slipway/tailnet/tunnel/tunnel";
import { encodeHex } from "@slipway/wire/bytes/hex";

import { ImpairedPath, type PathOptions, type TakePackets } from "./impaired-path.ts";
import type { PeerLink } from "./peer-link.ts";
import { UdpPath } from "./udp-path.ts";

export interface TunnelLinkOptions {
  /** The source address of the peer's packets. */
  readonly peerAddress: Uint8Array;
  /** The faults of the path below the tunnel (default: none). */
  readonly path?: PathOptions;
  /** The speed of our tunnel's clock; a faster one shortens its sessions (default: 1). */
  readonly speed?: number;
}

/** A UDP tunnel between us and the peer. */
export class TunnelLink implements PeerLink {
  readonly arguments: readonly string[];
  /** A window that fits the buffer of a UDP socket: gVisor recovers slowly from an overflow. */
  readonly tcp = { maxReceiveBytes: 2 << 20 };
  readonly tunnel: Tunnel;
  readonly #peerKey: Uint8Array;
  readonly #udp: UdpPath;
  readonly #send: TakePackets;
  #deliver: TakePackets = () => undefined;
  /** The handshakes that both sides have confirmed. */
  handshakes = 0;

  private constructor(
    crypto: Awaited<ReturnType<typeof loadNativeCrypto>>,
    udp: UdpPath,
    options: TunnelLinkOptions,
  ) {
    const peer = crypto.createKeyPair();
    this.#peerKey = peer.publicKey;
    this.#udp = udp;
    const { path } = options;
    const impaired = path && new ImpairedPath(path, 1, (datagrams) => udp.send(datagrams));
    this.#send = (datagrams) => (impaired ?? udp).send(datagrams);
    this.tunnel = new Tunnel({
      privateKey: crypto.createKeyPair().privateKey,
      crypto,
      clock: fastClock(options.speed ?? 1),
      transmit: (_, datagrams) => this.#send(datagrams),
      deliver: (packets) => this.#deliver(packets),
      onHandshake: () => {
        this.handshakes += 1;
      },
    });
    this.tunnel.setPeer({
      publicKey: peer.publicKey,
      allowedAddresses: [options.peerAddress],
      persistentKeepaliveMs: undefined,
    });
    this.arguments = [
      encodeHex(peer.privateKey),
      encodeHex(this.tunnel.publicKey),
      String(udp.port),
    ];
  }

  static async open(options: TunnelLinkOptions): Promise<TunnelLink> {
    const crypto = await loadNativeCrypto();
    const { path } = options;
    let receive: TakePackets = () => undefined;
    const impaired = path && new ImpairedPath(path, 2, (datagrams) => receive(datagrams));
    const udp = await UdpPath.open((datagrams) =>
      impaired === undefined ? receive(datagrams) : impaired.send(datagrams),
    );
    const link = new TunnelLink(crypto, udp, options);
    receive = (datagrams) => link.tunnel.receive(datagrams, undefined, undefined);
    return link;
  }

  attach(_: unknown, deliver: TakePackets): SendPackets {
    this.#deliver = deliver;
    return (packets) => this.tunnel.send(packets);
  }

  connect(port: number): void {
    this.#udp.connect(port);
  }

  /** Starts a handshake unless one was started recently. */
  initiate(): void {
    this.tunnel.initiate(this.#peerKey);
  }

  async close(): Promise<void> {
    await this.tunnel.close();
    this.#udp[Symbol.dispose]();
  }
}

function fastClock(speed: number): Clock {
  const start = systemClock.now();
  const began = systemClock.monotonic();
  const elapsed = (): number => (systemClock.monotonic() - began) * speed;
  return {
    now: () => start + elapsed(),
    monotonic: elapsed,
    sleep: (ms, signal) => systemClock.sleep(ms / speed, signal),
  };
}
