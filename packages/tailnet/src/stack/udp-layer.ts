import { IpProtocol, ipv6HeaderBytes, pseudoHeaderSum } from "@slipway/wire/ip/ipv6";
import type { Ipv6Packet } from "@slipway/wire/ip/ipv6";
import { parseUdp, udpHeaderBytes, writeUdp } from "@slipway/wire/ip/udp";

import type { Endpoint } from "./address.ts";
import { StackError } from "./errors.ts";
import type { StackLimits } from "./limits.ts";
import type { PacketBatch } from "./packet-batch.ts";
import { UdpSocket, type Datagram } from "./udp-socket.ts";

/** The parts of the stack that the layer needs. */
export interface UdpLayerNeeds {
  readonly batch: PacketBatch;
  readonly mtu: number;
  /** Schedules the sending of the batch. */
  readonly flushSoon: () => void;
}

export type DatagramHandler = (datagram: Datagram) => void;

/** All UDP sockets of a stack. */
export class UdpLayer {
  readonly #needs: UdpLayerNeeds;
  readonly #limits: StackLimits;
  readonly #sockets = new Map<number, UdpSocket>();
  #handler: DatagramHandler | undefined;

  constructor(needs: UdpLayerNeeds, limits: StackLimits) {
    this.#needs = needs;
    this.#limits = limits;
  }

  isFree(port: number): boolean {
    return !this.#sockets.has(port);
  }

  /** Receives the datagrams to a port. Throws `StackError` "port-in-use". */
  bind(local: Endpoint): UdpSocket {
    const { port } = local;
    if (!this.isFree(port))
      throw new StackError("port-in-use", `port ${String(port)} has a socket`);
    const socket = new UdpSocket(local, this.#limits.maxDatagrams, {
      send: (from, to, payload) => this.send(from, to, payload),
      onClose: () => {
        if (this.#sockets.get(port) === socket) this.#sockets.delete(port);
      },
    });
    this.#sockets.set(port, socket);
    return socket;
  }

  /** Hands datagrams to ports without a socket to `handler`. */
  forward(handler: DatagramHandler | undefined): void {
    this.#handler = handler;
  }

  /** Handles a packet; false if nothing receives datagrams at its port. */
  receive(bytes: Uint8Array, packet: Ipv6Packet): boolean {
    const datagram = parseUdp(bytes, packet.payloadStart, packet.payloadEnd);
    if (datagram === undefined) return true;
    const { sourcePort, destinationPort, payload } = datagram;
    const socket = this.#sockets.get(destinationPort);
    if (socket === undefined && this.#handler === undefined) return false;
    const received = {
      from: { address: packet.source.slice(), port: sourcePort },
      to: { address: packet.destination.slice(), port: destinationPort },
      payload: payload.slice(),
    };
    if (socket === undefined) this.#handler?.(received);
    else socket.offer(received);
    return true;
  }

  /** Sends a copy of `payload`, from any port. Throws `StackError` "datagram-too-large". */
  send(from: Endpoint, to: Endpoint, payload: Uint8Array): void {
    const { batch, mtu, flushSoon } = this.#needs;
    const most = mtu - ipv6HeaderBytes - udpHeaderBytes;
    if (payload.length > most) {
      throw new StackError(
        "datagram-too-large",
        `datagram of ${String(payload.length)} bytes, at most ${String(most)} fit`,
      );
    }
    const addressSum = pseudoHeaderSum(from.address, to.address, IpProtocol.udp);
    const datagram = { sourcePort: from.port, destinationPort: to.port, payload };
    const length = writeUdp(batch.buffer, batch.payloadStart, datagram, addressSum);
    batch.push(
      { source: from.address, destination: to.address, nextHeader: IpProtocol.udp },
      length,
    );
    flushSoon();
  }

  /** Closes all sockets. */
  close(): void {
    for (const socket of this.#sockets.values()) socket.close();
  }
}
