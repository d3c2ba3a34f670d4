import type { DatagramReceiver } from "../path/datagram-socket.ts";
import { udpAddress, type UdpAddress } from "../path/udp-address.ts";

/** Collects the datagrams that arrive in one turn of the event loop, and hands them on source by source. */
export class ReceivedBatch {
  #receiver: DatagramReceiver | undefined;
  #datagrams: Uint8Array[] = [];
  #source: UdpAddress | undefined;
  /** The address of the source as the system wrote it. */
  #text = "";
  #isFlushDue = false;

  /** Hands datagrams to `receiver` from now on; without a receiver they are dropped. */
  onDatagrams(receiver: DatagramReceiver | undefined): void {
    this.#receiver = receiver;
    this.#datagrams = [];
  }

  add(datagram: Uint8Array, address: string, port: number): void {
    if (this.#receiver === undefined) return;
    if (this.#source?.port !== port || this.#text !== address) {
      this.#flush();
      this.#text = address;
      this.#source = udpAddress(address, port);
    }
    this.#datagrams.push(datagram);
    this.#flushSoon();
  }

  /** Waits until the sockets have been read: each of them hands over many datagrams in a row. */
  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    setImmediate(() => {
      this.#isFlushDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    const datagrams = this.#datagrams;
    this.#datagrams = [];
    // A link-local address, which has a zone, is not a path.
    if (datagrams.length > 0 && this.#source !== undefined)
      this.#receiver?.(datagrams, this.#source);
  }
}
