import { createFakeClock, type FakeClock } from "@slipway/testkit";

import { nobleCrypto } from "../../src/crypto/noble-crypto.ts";
import type { DatagramSocket } from "../../src/path/datagram-socket.ts";
import type { PeerRoute } from "../../src/path/path-action.ts";
import { PathDriver } from "../../src/path/path-driver.ts";
import { UdpNetwork } from "./udp-network.ts";

const relayRegion = 999;
const relayDelayMs = 40;

/** A packet in flight through the relay. */
export interface RelayFlight {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  readonly packet: Uint8Array;
}

const neverAborted = new AbortController().signal;

/** Peers that find their paths over a simulated network and a relay, in virtual time. */
export class PathWorld implements AsyncDisposable {
  readonly clock: FakeClock = createFakeClock();
  readonly network: UdpNetwork;
  readonly peers: WorldPeer[] = [];
  /** Observes the packets through the relay. */
  onRelayFlight: (flight: RelayFlight) => void = () => undefined;

  constructor(seed?: number) {
    this.network = new UdpNetwork(this.clock, seed);
  }

  /** Adds a peer; without a socket it uses only relays. */
  addPeer(socket?: DatagramSocket): WorldPeer {
    const peer = new WorldPeer(this, socket);
    this.peers.push(peer);
    return peer;
  }

  /** Tells each peer about the other, like the coordinator. */
  introduce(one: WorldPeer, other: WorldPeer): void {
    one.meet(other);
    other.meet(one);
  }

  /** Carries a packet from one peer to another through the relay. */
  relay(flight: RelayFlight): void {
    this.onRelayFlight(flight);
    const receiver = this.peers.find(({ node }) => isSame(node.publicKey, flight.to));
    const packet = Uint8Array.from(flight.packet);
    void this.clock
      .sleep(relayDelayMs, neverAborted)
      .then(() => receiver?.driver.receiveFromRelay(relayRegion, flight.from, [packet]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.peers.map(({ driver }) => driver.close()));
  }
}

/** One peer of the world. */
export class WorldPeer {
  readonly node = nobleCrypto.createKeyPair();
  readonly disco = nobleCrypto.createKeyPair();
  readonly driver: PathDriver;
  /** The endpoints that it last published. */
  endpoints: readonly string[] = [];
  /** The first bytes of the received datagrams, and the keys of their senders. */
  readonly received: { readonly byte: number; readonly from: Uint8Array }[] = [];
  /** The number of them whose sender was proved by a relay. */
  proven = 0;
  /** The number of times that it noticed changed addresses of its machine. */
  networkChanges = 0;
  readonly #world: PathWorld;

  constructor(world: PathWorld, socket: DatagramSocket | undefined) {
    this.#world = world;
    this.driver = new PathDriver({
      nodeKey: this.node.publicKey,
      discoKeys: this.disco,
      crypto: nobleCrypto,
      clock: world.clock,
      ...(socket !== undefined && { socket }),
      relaySend: (_, to, datagrams) => {
        for (const packet of datagrams) world.relay({ from: this.node.publicKey, to, packet });
      },
      deliver: (datagrams, from, isProven) => {
        if (isProven) this.proven += datagrams.length;
        for (const [byte = 0] of datagrams) this.received.push({ byte, from });
      },
      onEndpoints: (endpoints) => {
        this.endpoints = endpoints;
        for (const peer of world.peers) if (peer.knows(this)) peer.meet(this);
      },
      onNetworkChanged: () => (this.networkChanges += 1),
    });
  }

  knows(other: WorldPeer): boolean {
    return this.driver.pathOf(other.node.publicKey) !== undefined;
  }

  meet(other: WorldPeer, discoKey: Uint8Array = other.disco.publicKey): void {
    const { node, endpoints } = other;
    const description = { discoKey, homeRegionId: relayRegion, endpoints };
    this.driver.setPeer({ nodeKey: node.publicKey, ...description });
  }

  /** Sends a datagram that is not a path message. */
  send(to: WorldPeer, byte = 4, length = 8): void {
    const datagram = new Uint8Array(length).fill(1);
    datagram.set([byte, 0, 0, 0]);
    this.driver.sendDatagrams(to.node.publicKey, [datagram]);
  }

  pathTo(other: WorldPeer): PeerRoute["kind"] | undefined {
    return this.driver.pathOf(other.node.publicKey)?.kind;
  }

  /** Sends datagrams of a length in both directions for some seconds, ten times a second. */
  async talk(other: WorldPeer, seconds: number, length?: number): Promise<void> {
    for (let turn = 0; turn < seconds * 10; turn += 1) {
      this.send(other, 4, length);
      other.send(this, 4, length);
      await this.#world.clock.advance(100);
    }
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.every((byte, at) => byte === other[at]);
}
