import { createSocket, type Socket } from "node:dgram";

import type { TakePackets } from "./impaired-path.ts";

const address = "127.0.0.1";
/** Room for datagrams that arrive while the event loop is busy. */
const bufferBytes = 4 << 20;

/** A local UDP socket that talks to one port and delivers datagrams that arrive together in one call. */
export class UdpPath implements Disposable {
  readonly #socket: Socket;
  readonly #take: TakePackets;
  #peerPort = 0;
  #isClosed = false;
  #received: Uint8Array[] = [];

  private constructor(take: TakePackets) {
    this.#take = take;
    this.#socket = createSocket({
      type: "udp4",
      recvBufferSize: bufferBytes,
      sendBufferSize: bufferBytes,
      // Addresses need no lookup, which would cost each datagram a turn.
      lookup: (name, _, callback) => callback(null, name, 4),
    });
    this.#socket.on("message", (datagram) => this.#receive(datagram));
  }

  static async open(take: TakePackets): Promise<UdpPath> {
    const path = new UdpPath(take);
    await new Promise<void>((resolve) => path.#socket.bind(0, address, resolve));
    return path;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  connect(peerPort: number): void {
    this.#peerPort = peerPort;
  }

  /** Sends datagrams; on an impaired path, late ones may arrive after the end. */
  send(datagrams: readonly Uint8Array[]): void {
    if (this.#isClosed) return;
    for (const datagram of datagrams) this.#socket.send(datagram, this.#peerPort, address);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#socket.close();
  }

  #receive(datagram: Uint8Array): void {
    this.#received.push(datagram);
    if (this.#received.length > 1) return;
    setImmediate(() => {
      const datagrams = this.#received;
      this.#received = [];
      this.#take(datagrams);
    });
  }
}
