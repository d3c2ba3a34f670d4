import { createSocket, type Socket } from "node:dgram";
import { lookup as lookUpAll } from "node:dns/promises";
import { once } from "node:events";
import { networkInterfaces } from "node:os";

import { systemErrorCode } from "@slipway/runtime";

import type { DatagramReceiver, DatagramSocket } from "../path/datagram-socket.ts";
import { isIpv6, type UdpAddress } from "../path/udp-address.ts";
import { ReceivedBatch } from "./received-batch.ts";
import { sendWhole } from "./whole-datagram.ts";

/** The bytes that wait while the system cannot send; further datagrams are dropped, as the system would drop them. */
const maxQueuedBytes = 256 * 1312;

/** The requested size of the system's buffers; the system may grant less. */
const socketBufferBytes = 4 * 1024 * 1024;

const anyAddress = { udp4: "0.0.0.0", udp6: "::" } as const;
type Family = keyof typeof anyAddress;

/** The error codes of a machine that lacks an address family. */
const absentCodes: ReadonlySet<unknown> = new Set(["EAFNOSUPPORT", "EADDRNOTAVAIL", "EINVAL"]);

export interface UdpSocketOptions {
  /** The port for both families (default: any free port; IPv6 may then get a different one). */
  readonly port?: number;
}

/**
 * Opens a UDP socket for each address family that the machine has. Throws the system's error if a requested port is
 * in use.
 */
export async function openUdpSocket(options: UdpSocketOptions = {}): Promise<NodeDatagramSocket> {
  const { port = 0 } = options;
  const ipv4 = await bind("udp4", port);
  try {
    return new NodeDatagramSocket(ipv4, await bindLike(ipv4, port));
  } catch (error) {
    ipv4?.close();
    throw error;
  }
}

/** A `DatagramSocket` on sockets of Node.js. Its opener closes it. */
export class NodeDatagramSocket implements DatagramSocket, AsyncDisposable {
  readonly #ipv4: Socket | undefined;
  readonly #ipv6: Socket | undefined;
  readonly #received = new ReceivedBatch();
  #localAddresses: readonly string[] = [];
  #isClosed = false;

  constructor(ipv4: Socket | undefined, ipv6: Socket | undefined) {
    this.#ipv4 = ipv4;
    this.#ipv6 = ipv6;
    for (const socket of [ipv4, ipv6]) {
      socket?.on("message", (datagram, { address, port }) =>
        this.#received.add(datagram, address, port),
      );
    }
  }

  get ports(): { readonly ipv4: number | undefined; readonly ipv6: number | undefined } {
    if (this.#isClosed) return { ipv4: undefined, ipv6: undefined };
    return { ipv4: this.#ipv4?.address().port, ipv6: this.#ipv6?.address().port };
  }

  localAddresses(): readonly string[] {
    try {
      const lists = Object.values(networkInterfaces());
      this.#localAddresses = lists.flatMap((list = []) => list.map(({ address }) => address));
    } catch {
      // The call needs a file descriptor, and the process may be out of them: the addresses have probably not
      // changed.
    }
    return this.#localAddresses;
  }

  async lookup(hostName: string): Promise<readonly string[]> {
    try {
      return (await lookUpAll(hostName, { all: true })).map(({ address }) => address);
    } catch (error) {
      // An unknown name, or no network: there is no one to ask then.
      if (systemErrorCode(error) !== undefined) return [];
      throw error;
    }
  }

  sendWhole(datagram: Uint8Array, to: UdpAddress): boolean {
    const socket = this.#socketTo(to);
    if (socket === undefined) return false;
    return sendWhole(datagram, to, () => {
      if (socket.getSendQueueCount() > 0) return false;
      socket.send(datagram, to.port, to.address);
      return socket.getSendQueueCount() === 0;
    });
  }

  send(datagrams: readonly Uint8Array[], to: UdpAddress): void {
    const socket = this.#socketTo(to);
    if (socket === undefined) return;
    const { address, port } = to;
    for (const datagram of datagrams) {
      if (socket.getSendQueueSize() >= maxQueuedBytes) return;
      socket.send(datagram, port, address);
    }
  }

  onDatagrams(receiver: DatagramReceiver | undefined): void {
    this.#received.onDatagrams(receiver);
  }

  /** Returns the socket of an address's family; undefined if there is none. */
  #socketTo({ address }: UdpAddress): Socket | undefined {
    if (this.#isClosed) return undefined;
    return isIpv6(address) ? this.#ipv6 : this.#ipv4;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#received.onDatagrams(undefined);
    const sockets = [this.#ipv4, this.#ipv6].filter((socket) => socket !== undefined);
    await Promise.all(
      sockets.map(async (socket) => {
        const closed = once(socket, "close");
        socket.close();
        await closed;
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Binds the IPv6 socket, to the same port as the IPv4 socket if it is free. */
async function bindLike(ipv4: Socket | undefined, port: number): Promise<Socket | undefined> {
  if (port !== 0 || ipv4 === undefined) return bind("udp6", port);
  try {
    return await bind("udp6", ipv4.address().port);
  } catch (error) {
    if (systemErrorCode(error) !== "EADDRINUSE") throw error;
    return bind("udp6", 0);
  }
}

/** Binds a socket; undefined if the machine lacks the family. */
async function bind(type: Family, port: number): Promise<Socket | undefined> {
  const socket = createSocket({
    type,
    ipv6Only: type === "udp6",
    // Addresses need no resolver; without one a datagram is handed to the system immediately.
    lookup: (address, _, callback) => callback(null, address, type === "udp6" ? 6 : 4),
  });
  try {
    // Without a resolver it listens immediately.
    const listening = once(socket, "listening");
    socket.bind(port, anyAddress[type]);
    await listening;
  } catch (error) {
    socket.close();
    if (absentCodes.has(systemErrorCode(error))) return undefined;
    throw error;
  }
  // Datagrams may get lost; a sender that needs an answer sends again.
  socket.on("error", () => undefined);
  enlargeBuffers(socket);
  return socket;
}

function enlargeBuffers(socket: Socket): void {
  try {
    socket.setRecvBufferSize(socketBufferBytes);
    socket.setSendBufferSize(socketBufferBytes);
  } catch {
    // The system's own buffers are smaller, but sufficient.
  }
}
