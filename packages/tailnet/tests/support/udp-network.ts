import type { Clock } from "@slipway/runtime";
import { Random } from "@slipway/testkit/random";
import { encodeBindingResponse, parseStunMessage } from "@slipway/wire/stun/message";

import type { DatagramReceiver, DatagramSocket } from "../../src/path/datagram-socket.ts";
import type { UdpAddress } from "../../src/path/udp-address.ts";

/** A NAT's mapping of an inner address: to one outer port, or to one per destination. */
export type NatMapping = "endpoint-independent" | "address-dependent";

export interface HostOptions {
  /** The address of the machine: IPv4, private behind a NAT. */
  readonly address: string;
  readonly port?: number;
  /** The NAT between it and all other machines except those behind the same NAT. */
  readonly nat?: Nat;
}

/** A datagram in flight. */
export interface Flight {
  readonly from: UdpAddress;
  readonly to: UdpAddress;
  readonly datagram: Uint8Array;
}

const neverAborted = new AbortController().signal;

/** A network of IPv4 machines and NATs in virtual time. */
export class UdpNetwork {
  readonly #clock: Clock;
  readonly #random: Random;
  /** The sockets by network and address: private addresses occur in several networks. */
  readonly #sockets = new Map<string, SimulatedSocket>();
  readonly #servers = new Map<string, UdpAddress>();
  readonly #nats = new Map<string, Nat>();
  delayMs = 10;
  lossRate = 0;
  /** The length of the longest datagram that arrives: longer ones are lost silently. */
  maxDatagramBytes = Number.POSITIVE_INFINITY;
  /** Drops the datagrams for which it returns true. */
  isBlocked: (flight: Flight) => boolean = () => false;
  /** Observes the datagrams on the network, as seen outside NATs. */
  onFlight: (flight: Flight) => void = () => undefined;

  constructor(clock: Clock, seed = 1) {
    this.#clock = clock;
    this.#random = new Random(seed);
  }

  addNat(address: string, mapping: NatMapping): Nat {
    const nat = new Nat(address, mapping);
    this.#nats.set(address, nat);
    return nat;
  }

  addHost(options: HostOptions): SimulatedSocket {
    const socket = new SimulatedSocket(options, (flight) => this.send(flight, options.nat));
    this.#sockets.set(placeOf(socket.nat, socket.local), socket);
    return socket;
  }

  /** Moves a host to another address of its network, as a laptop that changes networks. */
  move(socket: SimulatedSocket, address: string): void {
    this.#sockets.delete(placeOf(socket.nat, socket.local));
    socket.local = { ...socket.local, address };
    this.#sockets.set(placeOf(socket.nat, socket.local), socket);
  }

  /** Takes a host off its network: only its loopback address remains. */
  unplug(socket: SimulatedSocket): void {
    this.#sockets.delete(placeOf(socket.nat, socket.local));
    socket.isPlugged = false;
  }

  plug(socket: SimulatedSocket): void {
    this.#sockets.set(placeOf(socket.nat, socket.local), socket);
    socket.isPlugged = true;
  }

  addStunServer(address: UdpAddress): void {
    this.#servers.set(textOf(address), address);
  }

  /** Carries a datagram, from behind a NAT if one is given. */
  send({ from, to, datagram }: Flight, nat?: Nat): void {
    const sibling = nat && this.#sockets.get(placeOf(nat, to));
    if (sibling !== undefined) {
      this.#carry({ from, to, datagram }, (flight) => sibling.receive(flight));
      return;
    }
    const source = nat === undefined ? from : nat.mapOut(from, to);
    this.#carry({ from: source, to, datagram }, (flight) => this.#arrive(flight));
  }

  #carry(flight: Flight, arrive: (flight: Flight) => void): void {
    this.onFlight(flight);
    if (flight.datagram.length > this.maxDatagramBytes) return;
    if (this.isBlocked(flight) || this.#random.chance(this.lossRate)) return;
    const copy = { ...flight, datagram: Uint8Array.from(flight.datagram) };
    void this.#clock.sleep(this.delayMs, neverAborted).then(() => arrive(copy));
  }

  #arrive({ from, to, datagram }: Flight): void {
    const server = this.#servers.get(textOf(to));
    if (server !== undefined) {
      this.#answerStun(server, from, datagram);
      return;
    }
    const nat = this.#nats.get(to.address);
    const inner = nat === undefined ? to : nat.mapIn(from, to);
    if (inner !== undefined) {
      this.#sockets.get(placeOf(nat, inner))?.receive({ from, to: inner, datagram });
    }
  }

  #answerStun(server: UdpAddress, from: UdpAddress, request: Uint8Array): void {
    const message = parseStunMessage(request);
    if (message?.type !== "binding-request") return;
    const address = Uint8Array.from(from.address.split(".").map(Number));
    const datagram = encodeBindingResponse(message.transactionId, { address, port: from.port });
    this.send({ from: server, to: from, datagram });
  }
}

/** A NAT that lets in only responses to outgoing traffic. */
export class Nat {
  readonly address: string;
  readonly #mapping: NatMapping;
  readonly #ports = new Map<string, number>();
  readonly #inner = new Map<number, UdpAddress>();
  readonly #allowed = new Set<string>();
  #nextPort = 40_000;

  constructor(address: string, mapping: NatMapping) {
    this.address = address;
    this.#mapping = mapping;
  }

  /** Forgets all mappings, like a NAT that restarts. */
  forget(): void {
    this.#ports.clear();
    this.#inner.clear();
    this.#allowed.clear();
  }

  mapOut(from: UdpAddress, to: UdpAddress): UdpAddress {
    const suffix = this.#mapping === "address-dependent" ? ` ${textOf(to)}` : "";
    const key = textOf(from) + suffix;
    const port = this.#ports.get(key) ?? (this.#nextPort += 1);
    this.#ports.set(key, port);
    this.#inner.set(port, from);
    this.#allowed.add(`${String(port)} ${textOf(to)}`);
    return { address: this.address, port };
  }

  mapIn(from: UdpAddress, to: UdpAddress): UdpAddress | undefined {
    const isAnswer = this.#allowed.has(`${String(to.port)} ${textOf(from)}`);
    return isAnswer ? this.#inner.get(to.port) : undefined;
  }
}

/** The socket of a simulated host. */
export class SimulatedSocket implements DatagramSocket {
  readonly nat: Nat | undefined;
  local: UdpAddress;
  isPlugged = true;
  /** The length of the longest datagram that the machine believes it can send in one piece. */
  wholeBytes = Number.POSITIVE_INFINITY;
  /** The number of times that its addresses were requested. */
  looks = 0;
  readonly #send: (flight: Flight) => void;
  #receiver: DatagramReceiver | undefined;

  constructor({ address, port = 41_641, nat }: HostOptions, send: (flight: Flight) => void) {
    this.local = { address, port };
    this.nat = nat;
    this.#send = send;
  }

  get ports(): { readonly ipv4: number; readonly ipv6: undefined } {
    return { ipv4: this.local.port, ipv6: undefined };
  }

  localAddresses(): readonly string[] {
    this.looks += 1;
    return ["127.0.0.1", "::1", ...(this.isPlugged ? [this.local.address] : [])];
  }

  async lookup(): Promise<readonly string[]> {
    return [];
  }

  send(datagrams: readonly Uint8Array[], to: UdpAddress): void {
    if (!this.isPlugged) return;
    for (const datagram of datagrams) this.#send({ from: this.local, to, datagram });
  }

  /** Sends a datagram even if it must be fragmented: its fragments arrive. */
  sendWhole(datagram: Uint8Array, to: UdpAddress): boolean {
    this.send([datagram], to);
    return this.isPlugged && datagram.length <= this.wholeBytes;
  }

  onDatagrams(receiver: DatagramReceiver | undefined): void {
    this.#receiver = receiver;
  }

  receive({ from, datagram }: Flight): void {
    this.#receiver?.([datagram], from);
  }
}

function placeOf(nat: Nat | undefined, address: UdpAddress): string {
  return `${nat?.address ?? ""} ${textOf(address)}`;
}

function textOf({ address, port }: UdpAddress): string {
  return `${address}:${String(port)}`;
}
