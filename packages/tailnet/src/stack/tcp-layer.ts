import { IpProtocol, ipv6HeaderBytes, pseudoHeaderSum } from "@slipway/wire/ip/ipv6";
import type { Ipv6Packet } from "@slipway/wire/ip/ipv6";
import { TcpConnection } from "@slipway/wire/tcp/connection";
import type { TcpOptions } from "@slipway/wire/tcp/connection-options";
import { writeResetFor } from "@slipway/wire/tcp/reset";
import { parseQuotedSegment, parseSegment, TcpFlag } from "@slipway/wire/tcp/segment";
import type { TcpSegment } from "@slipway/wire/tcp/segment";

import { WakeQueue } from "../timing/wake-queue.ts";
import type { Endpoint } from "./address.ts";
import { ConnectionTable } from "./connection-table.ts";
import { StackError } from "./errors.ts";
import type { StackLimits } from "./limits.ts";
import type { PacketBatch } from "./packet-batch.ts";
import { PeerSets } from "./peer-sets.ts";
import { TcpLink } from "./tcp-link.ts";
import { TcpListener } from "./tcp-listener.ts";
import { TcpMemory } from "./tcp-memory.ts";
import { TcpRequest } from "./tcp-request.ts";
import { TcpStream } from "./tcp-stream.ts";

/** The parts of the stack that the layer needs. */
export interface TcpLayerNeeds {
  /** The monotonic time. */
  readonly now: () => number;
  /** Returns 32 unpredictable bits, unsigned. */
  readonly randomUint32: () => number;
  readonly batch: PacketBatch;
  /** The longest packet that this end accepts. */
  readonly largestBytes: number;
  /** Returns the length of the longest packet that the path to an address carries now. */
  readonly carriedBytes: (destination: Uint8Array) => number;
  /** Schedules a call of `flush`. */
  readonly flushSoon: () => void;
}

export type RequestHandler = (request: TcpRequest) => void;

/** The length of a segment's headers, without TCP options. */
const headerBytes = ipv6HeaderBytes + 20;

/** All TCP connections of a stack: finds the connection of a segment, opens and accepts connections, and wakes them. */
export class TcpLayer {
  readonly #needs: TcpLayerNeeds;
  readonly #options: TcpOptions;
  readonly #limits: StackLimits;
  readonly #links = new ConnectionTable<TcpLink>();
  readonly #requests = new ConnectionTable<TcpRequest>();
  readonly #listeners = new Map<number, TcpListener>();
  readonly #byPeer = new PeerSets<TcpLink>();
  readonly #wakes = new WakeQueue<TcpLink>();
  readonly #memory: TcpMemory;
  /** Oldest first. */
  readonly #timeWait = new Set<TcpLink>();
  /**
   * One offset for all connections, so that their timestamps rise: a peer that still waits on the same ports for old
   * segments accepts a SYN only if it is newer (RFC 6191 §2).
   */
  readonly #timestampOffset: number;
  #dirty: TcpLink[] = [];
  #handler: RequestHandler | undefined;

  constructor(needs: TcpLayerNeeds, options: TcpOptions, limits: StackLimits) {
    this.#needs = needs;
    this.#options = options;
    this.#limits = limits;
    this.#memory = new TcpMemory(limits.maxTcpBytes);
    this.#timestampOffset = needs.randomUint32();
  }

  /** The time at which `tick` has something to do. */
  get nextWake(): number | undefined {
    return this.#wakes.next;
  }

  /** The number of connections that count towards the limit. */
  get connections(): number {
    return this.#links.size - this.#timeWait.size;
  }

  /** The bytes of memory that the data of all connections occupies. */
  get heldBytes(): number {
    return this.#memory.bytes;
  }

  /** Returns true if the ports of a connection are not in use. */
  isFree(local: Endpoint, remote: Endpoint): boolean {
    return this.#find(local, remote) === undefined;
  }

  /** Opens a connection. Throws `StackError` "too-many-connections". */
  connect(local: Endpoint, remote: Endpoint): TcpStream {
    if (!this.#hasRoom(remote.address)) {
      const { maxConnections, maxConnectionsPerPeer } = this.#limits;
      throw new StackError(
        "too-many-connections",
        `${String(this.connections)} connections, ${String(this.#byPeer.count(remote.address))} with the peer, ` +
          `at most ${String(maxConnections)} and ${String(maxConnectionsPerPeer)} may be open`,
      );
    }
    return this.#add(local, remote, undefined).stream;
  }

  /** Accepts the connections to a port. Throws `StackError` "port-in-use". */
  listen(port: number): TcpListener {
    if (this.#listeners.has(port)) {
      throw new StackError("port-in-use", `port ${String(port)} has a listener`);
    }
    const listener = new TcpListener(port, this.#limits.backlog, () => {
      if (this.#listeners.get(port) === listener) this.#listeners.delete(port);
    });
    this.#listeners.set(port, listener);
    return listener;
  }

  /** Lets `handler` decide about SYNs to ports without a listener; without a handler they are refused. */
  forward(handler: RequestHandler | undefined): void {
    this.#handler = handler;
  }

  /** Handles a packet. */
  receive(bytes: Uint8Array, packet: Ipv6Packet): void {
    const segment = parseSegment(bytes, packet.payloadStart, packet.payloadEnd);
    if (segment === undefined) return;
    const { destinationPort, sourcePort } = segment;
    const { destination, source } = packet;
    const link = this.#links.find(destination, destinationPort, source, sourcePort);
    if (link !== undefined && !link.connection.yieldsTo(segment)) {
      link.connection.receive(segment, this.#needs.now());
      if (link.connection.isUrgent) this.#settle(link);
      else this.#touch(link);
      return;
    }
    if (link !== undefined) this.#remove(link);
    this.#receiveUnknown(segment, packet);
  }

  /** Handles the report that one of our packets, which begins with `cause`, did not arrive. */
  unreachable(cause: Uint8Array, packet: Ipv6Packet): void {
    const quoted = parseQuotedSegment(cause, packet.payloadStart);
    if (quoted === undefined) return;
    const { source, destination } = packet;
    const { sourcePort, destinationPort, sequence } = quoted;
    const link = this.#links.find(source, sourcePort, destination, destinationPort);
    if (link === undefined) return;
    link.connection.unreachable(sequence);
    this.#touch(link);
  }

  /** Wakes the connections that are due. */
  tick(now: number): void {
    for (let link = this.#wakes.takeDue(now); link !== undefined; link = this.#wakes.takeDue(now)) {
      const wake = link.connection.nextWake();
      if (wake !== undefined && wake <= now) link.connection.tick(now);
      this.#settle(link);
    }
  }

  /** Sends what the connections have to send, and hands on their events. */
  flush(): void {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const link of dirty) {
      link.isDirty = false;
      this.#settle(link);
    }
  }

  /** Ends the connections with a peer immediately. */
  endConnections(remote: Uint8Array): void {
    for (const link of this.#byPeer.of(remote)) link.stream.abort();
  }

  /** Ends everything immediately. */
  close(): void {
    for (const listener of this.#listeners.values()) listener.close();
    for (const request of this.#requests.list()) request.refuse();
    for (const link of this.#links.list()) link.stream.abort();
    this.flush();
  }

  #find(local: Endpoint, remote: Endpoint): TcpLink | undefined {
    return this.#links.find(local.address, local.port, remote.address, remote.port);
  }

  #receiveUnknown(segment: TcpSegment, packet: Ipv6Packet): void {
    const { syn, ack, rst, fin } = TcpFlag;
    const local = { address: packet.destination.slice(), port: segment.destinationPort };
    const remote = { address: packet.source.slice(), port: segment.sourcePort };
    const listener = this.#listeners.get(local.port);
    const isSyn = (segment.flags & (syn | ack | rst | fin)) === syn;
    if (!isSyn || (listener === undefined && this.#handler === undefined)) {
      this.#reset(segment, local, remote);
    } else if (!this.#hasRoom(remote.address)) {
      // The peer sends its SYN again.
    } else if (listener !== undefined) {
      if (!listener.hasRoom((victim) => this.#remove(victim))) return;
      const link = this.#add(local, remote, segment);
      link.backlog = listener;
      listener.add(link);
    } else this.#ask(segment, local, remote);
  }

  /** Lets the handler decide about a SYN, unless a decision about it is pending, or about too many others. */
  #ask(segment: TcpSegment, local: Endpoint, remote: Endpoint): void {
    const find = (): TcpRequest | undefined =>
      this.#requests.find(local.address, local.port, remote.address, remote.port);
    if (find() !== undefined || this.#requests.size >= this.#limits.maxRequests) return;
    const syn = { ...segment, bytes: new Uint8Array(0), payloadStart: 0, payloadEnd: 0 };
    const decide = (): boolean => {
      const isOpen = find() === request;
      this.#requests.remove(request);
      return isOpen;
    };
    const request = new TcpRequest(
      local,
      remote,
      () =>
        decide() && this.isFree(local, remote) ? this.#add(local, remote, syn).stream : undefined,
      () => {
        if (!decide()) return;
        this.#reset(syn, local, remote);
        this.#needs.flushSoon();
      },
    );
    this.#requests.add(request);
    this.#handler?.(request);
  }

  /** Opens a connection, or accepts that of a SYN. */
  #add(local: Endpoint, remote: Endpoint, syn: TcpSegment | undefined): TcpLink {
    const { randomUint32, largestBytes, now } = this.#needs;
    const flow = {
      localPort: local.port,
      remotePort: remote.port,
      addressSum: pseudoHeaderSum(local.address, remote.address, IpProtocol.tcp),
      initialSequence: randomUint32(),
      timestampOffset: this.#timestampOffset,
      maxSegmentBytes: largestBytes - headerBytes,
    };
    const connection =
      syn === undefined
        ? TcpConnection.connect(flow, this.#options, now())
        : TcpConnection.accept(flow, syn, this.#options, now());
    const touch = (): void => this.#touch(link);
    const stream = new TcpStream(local, remote, connection, { now, touch });
    const header = {
      source: local.address,
      destination: remote.address,
      nextHeader: IpProtocol.tcp,
    };
    const link = new TcpLink(connection, stream, header);
    this.#links.add(link);
    this.#byPeer.add(remote.address, link);
    this.#touch(link);
    return link;
  }

  #hasRoom(peer: Uint8Array): boolean {
    const { maxConnections, maxConnectionsPerPeer } = this.#limits;
    return this.connections < maxConnections && this.#byPeer.count(peer) < maxConnectionsPerPeer;
  }

  #remove(link: TcpLink): void {
    link.isRemoved = true;
    this.#links.remove(link);
    this.#byPeer.remove(link.remote.address, link);
    this.#wakes.remove(link);
    this.#memory.forget(link);
    this.#timeWait.delete(link);
    link.backlog?.forget(link);
    link.backlog = undefined;
  }

  #touch(link: TcpLink): void {
    if (link.isDirty) return;
    link.isDirty = true;
    this.#dirty.push(link);
    this.#needs.flushSoon();
  }

  /** Hands on the events of a connection, sends what is ready, and notes its next wake-up. */
  #settle(link: TcpLink): void {
    const { connection, stream } = link;
    for (const event of connection.takeEvents()) {
      if (event.type === "connected") {
        link.backlog?.offer(link);
        link.backlog = undefined;
      }
      stream.notify(event);
    }
    if (link.isRemoved) return;
    this.#drain(link);
    const wake = connection.nextWake();
    if (wake === undefined) this.#remove(link);
    else this.#wakes.schedule(link, wake);
    if (connection.state === "time-wait") this.#noteTimeWait(link);
    if (wake !== undefined && this.#memory.note(link)) this.#makeRoom();
  }

  /** Resets the largest connection of the peer whose connections hold most. */
  #makeRoom(): void {
    const link = this.#memory.largest();
    if (link === undefined) return;
    link.connection.abort();
    this.#settle(link);
  }

  #drain(link: TcpLink): void {
    const { batch, carriedBytes } = this.#needs;
    const { connection, header } = link;
    const now = this.#needs.now();
    connection.limitSegments(carriedBytes(header.destination) - headerBytes);
    for (;;) {
      const length = connection.writeSegment(batch.buffer, batch.payloadStart, now);
      if (length === 0) return;
      batch.push(header, length);
    }
  }

  #noteTimeWait(link: TcpLink): void {
    if (this.#timeWait.has(link)) return;
    this.#timeWait.add(link);
    this.#byPeer.remove(link.remote.address, link);
    if (this.#timeWait.size <= this.#limits.maxTimeWait) return;
    for (const oldest of this.#timeWait) {
      this.#remove(oldest);
      return;
    }
  }

  #reset(segment: TcpSegment, local: Endpoint, remote: Endpoint): void {
    const { batch } = this.#needs;
    const addressSum = pseudoHeaderSum(local.address, remote.address, IpProtocol.tcp);
    const length = writeResetFor(segment, batch.buffer, batch.payloadStart, addressSum);
    if (length === 0) return;
    const header = {
      source: local.address,
      destination: remote.address,
      nextHeader: IpProtocol.tcp,
    };
    batch.push(header, length);
  }
}
