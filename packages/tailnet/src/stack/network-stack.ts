import { abortable, Scope, Wake, type Clock } from "@slipway/runtime";
import { IpProtocol, parseIpv6, parseQuotedIpv6 } from "@slipway/wire/ip/ipv6";
import type { Ipv6Packet } from "@slipway/wire/ip/ipv6";
import type { TcpOptions } from "@slipway/wire/tcp/connection-options";

import { isSameAddress, type Endpoint } from "./address.ts";
import { StackError } from "./errors.ts";
import { IcmpLayer } from "./icmp-layer.ts";
import { defaultLimits, type StackLimits } from "./limits.ts";
import { PacketBatch, type SendPackets } from "./packet-batch.ts";
import { findFreePort } from "./ports.ts";
import { TcpLayer, type RequestHandler } from "./tcp-layer.ts";
import type { TcpListener } from "./tcp-listener.ts";
import type { TcpStream } from "./tcp-stream.ts";
import { UdpLayer, type DatagramHandler } from "./udp-layer.ts";
import type { UdpSocket } from "./udp-socket.ts";

/** The longest packet that every peer and path carries (docs/protocol/tailnet.md §7.1). */
const mtu = 1280;

/** The delay of a timer beyond which the event loop must have been busy. */
const lateMs = 20;

export interface StackOptions {
  /** The addresses of this end, 16 bytes each; the first is the default source. */
  readonly addresses: readonly Uint8Array[];
  readonly clock: Clock;
  /** Returns 32 unpredictable bits, unsigned. */
  readonly randomUint32: () => number;
  /** Sends packets to the peers. */
  readonly send: SendPackets;
  readonly tcp?: TcpOptions;
  /** The lengths of TCP packets; all others have at most 1,280 bytes (default: 1,280 for TCP too). */
  readonly tcpPackets?: TcpPacketSizes;
  readonly limits?: Partial<StackLimits>;
}

export interface TcpPacketSizes {
  /** The longest packet that this end accepts, and announces to its peers. */
  readonly largestBytes: number;
  /** Returns the length of the longest packet that the path to an address carries now. */
  readonly carriedBytes: (destination: Uint8Array) => number;
}

export interface ConnectOptions {
  readonly signal: AbortSignal;
  /** The address to connect from (default: the first). */
  readonly from?: Uint8Array;
}

/**
 * An IPv6 host in user space: TCP, UDP and answers to pings for the addresses of one peer. It sees whole packets in
 * the clear and knows nothing of the tunnel that carries them. Its opener closes it.
 *
 * Packets that are handed in may be reused immediately, as incoming data is copied once. Outgoing data is copied
 * twice: from the writer to the queue of its connection, and from there into a packet.
 */
export class NetworkStack implements AsyncDisposable {
  readonly #addresses: readonly Uint8Array[];
  readonly #clock: Clock;
  readonly #randomUint32: () => number;
  readonly #largestTcpBytes: number;
  readonly #batch: PacketBatch;
  readonly #tcp: TcpLayer;
  readonly #udp: UdpLayer;
  readonly #icmp: IcmpLayer;
  readonly #scope = new Scope();
  readonly #wake = new Wake();
  #isFlushDue = false;
  #isClosed = false;

  constructor(options: StackOptions) {
    const { clock, randomUint32 } = options;
    const tcpPackets = options.tcpPackets ?? { largestBytes: mtu, carriedBytes: () => mtu };
    const limits = { ...defaultLimits, ...options.limits };
    this.#addresses = options.addresses;
    this.#clock = clock;
    this.#randomUint32 = randomUint32;
    this.#largestTcpBytes = tcpPackets.largestBytes;
    this.#batch = new PacketBatch(Math.max(mtu, tcpPackets.largestBytes), options.send);
    const now = (): number => clock.monotonic();
    const flushSoon = (): void => this.#flushSoon();
    const needs = { now, batch: this.#batch, mtu, flushSoon };
    this.#tcp = new TcpLayer({ ...needs, ...tcpPackets, randomUint32 }, options.tcp ?? {}, limits);
    this.#udp = new UdpLayer(needs, limits);
    this.#icmp = new IcmpLayer({ ...needs, unreachable: (cause) => this.#unreachable(cause) });
    this.#scope.run((signal) => this.#run(signal));
  }

  /** The number of TCP connections, except those that only wait for old segments. */
  get connections(): number {
    return this.#tcp.connections;
  }

  /** The bytes of memory that the data of all TCP connections occupies. */
  get tcpBytes(): number {
    return this.#tcp.heldBytes;
  }

  /** Rejects if the stack itself has failed, after which it does nothing; never resolves. */
  get failed(): Promise<never> {
    return this.#scope.failed;
  }

  /** Receives packets from the peers, which the tunnel has authenticated. Malformed ones are dropped. */
  receive(packets: readonly Uint8Array[]): void {
    if (this.#isClosed) return;
    for (const bytes of packets) {
      const packet = parseIpv6(bytes);
      if (packet !== undefined && this.#isTaken(packet)) this.#dispatch(bytes, packet);
    }
    this.#flushSoon();
  }

  /**
   * Connects to a port of a peer. Throws `TcpError` "refused", "timed-out" or "unreachable", `StackError` "no-ports" or
   * "too-many-connections", and the signal's reason.
   */
  async connect(remote: Endpoint, options: ConnectOptions): Promise<TcpStream> {
    const { signal } = options;
    signal.throwIfAborted();
    this.#throwIfClosed();
    const address = options.from ?? this.#ownAddress();
    const port = findFreePort(this.#randomUint32(), (candidate) =>
      this.#tcp.isFree({ address, port: candidate }, remote),
    );
    const stream = this.#tcp.connect({ address, port }, remote);
    try {
      await abortable(stream.connected, signal);
    } catch (error) {
      stream.abort();
      throw error;
    }
    return stream;
  }

  /** Accepts the connections to a port of any of the addresses. Throws `StackError` "port-in-use". */
  listen(port: number): TcpListener {
    this.#throwIfClosed();
    return this.#tcp.listen(port);
  }

  /** Lets `handler` decide about connections to ports without a listener; without a handler they are refused. */
  forwardTcp(handler: RequestHandler | undefined): void {
    this.#tcp.forward(handler);
  }

  /** Receives the datagrams to a port, by default a free one. Throws `StackError` "port-in-use" or "no-ports". */
  bindUdp(port?: number, address = this.#ownAddress()): UdpSocket {
    this.#throwIfClosed();
    const chosen =
      port ?? findFreePort(this.#randomUint32(), (candidate) => this.#udp.isFree(candidate));
    return this.#udp.bind({ address, port: chosen });
  }

  /** Hands datagrams to ports without a socket to `handler`; without a handler their senders get an error. */
  forwardUdp(handler: DatagramHandler | undefined): void {
    this.#udp.forward(handler);
  }

  /** Sends a datagram from any port, as an answer to one received by `forwardUdp`. */
  sendUdp(from: Endpoint, to: Endpoint, payload: Uint8Array): void {
    this.#throwIfClosed();
    this.#udp.send(from, to, payload);
  }

  /** Ends all connections with a peer's address immediately, like a peer that can never send again. */
  endConnections(remote: Uint8Array): void {
    this.#tcp.endConnections(remote);
    this.#flushSoon();
  }

  /** Ends all connections immediately, and all listeners and sockets. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#tcp.close();
    this.#udp.close();
    this.#batch.flush();
    this.#isClosed = true;
    await this.#scope.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #dispatch(bytes: Uint8Array, packet: Ipv6Packet): void {
    switch (packet.nextHeader) {
      case IpProtocol.tcp:
        this.#tcp.receive(bytes, packet);
        return;
      case IpProtocol.udp:
        if (!this.#udp.receive(bytes, packet)) this.#icmp.refuse(bytes, packet);
        return;
      case IpProtocol.icmpv6:
        this.#icmp.receive(bytes, packet);
        return;
      default:
        this.#icmp.refuse(bytes, packet);
    }
  }

  /**
   * Returns true if a packet has one of our addresses as its destination, a source that can be answered, and a valid
   * size.
   */
  #isTaken({ source, destination, nextHeader, payloadEnd }: Ipv6Packet): boolean {
    const isMulticast = source[0] === 0xff;
    const largestBytes = nextHeader === IpProtocol.tcp ? this.#largestTcpBytes : mtu;
    if (isMulticast || payloadEnd > largestBytes) return false;
    return this.#addresses.some((address) => isSameAddress(address, destination));
  }

  #ownAddress(): Uint8Array {
    const [first] = this.#addresses;
    if (first === undefined) throw new StackError("no-address", "the stack has no address");
    return first;
  }

  #unreachable(cause: Uint8Array): void {
    const packet = parseQuotedIpv6(cause);
    if (packet?.nextHeader === IpProtocol.tcp) this.#tcp.unreachable(cause, packet);
  }

  /** Sends at the end of the current turn, so that the packets of one turn go out together. */
  #flushSoon(): void {
    if (this.#isFlushDue || this.#isClosed) return;
    this.#isFlushDue = true;
    queueMicrotask(() => {
      this.#isFlushDue = false;
      try {
        this.#flush();
      } catch (error) {
        // An error in `send` is the stack's failure: there is no one else to handle it.
        this.#scope.run(async () => {
          throw error;
        });
      }
    });
  }

  #flush(): void {
    this.#tcp.flush();
    this.#batch.flush();
    const wake = this.#tcp.nextWake;
    if (wake !== undefined) this.#wake.wakeBefore(wake);
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const now = this.#clock.monotonic();
      const wake = this.#tcp.nextWake ?? Number.POSITIVE_INFINITY;
      if (wake <= now) {
        // After a long turn of the event loop, packets may be waiting that make a timeout unnecessary.
        if (now - wake >= lateMs) await this.#clock.sleep(1, signal);
        this.#tcp.tick(this.#clock.monotonic());
        this.#flush();
        continue;
      }
      await this.#wake.waitUntil(wake, now, this.#clock, signal);
    }
  }

  #throwIfClosed(): void {
    if (this.#isClosed) throw new StackError("closed", "the stack is closed");
  }
}
