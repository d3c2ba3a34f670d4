import { closeSync, openSync, writeSync } from "node:fs";

import type { Clock } from "@slipway/runtime";
import { encodePcapHeader, encodePcapPacket } from "@slipway/wire/ip/pcap";

/** The bytes that wait for a write: the larger a write, the less a capture slows down what it captures. */
const batchBytes = 64 * 1024;

/**
 * A file of the headers of packets, as `tcpdump -r` and Wireshark read it. It is written synchronously, so that packets
 * cannot pile up in memory. Its opener disposes of it.
 */
export class PacketCapture implements Disposable {
  readonly #file: number;
  readonly #clock: Pick<Clock, "monotonic">;
  /** The wall-clock time at which the monotonic time is 0, in milliseconds. */
  readonly #originMs: number;
  readonly #waiting: Uint8Array[] = [encodePcapHeader()];
  #waitingBytes = 0;
  #error: Error | undefined;
  #isClosed = false;

  private constructor(file: number, clock: Pick<Clock, "now" | "monotonic">) {
    this.#file = file;
    this.#clock = clock;
    this.#originMs = clock.now() - clock.monotonic();
  }

  /** Opens a file, whose old content is lost, for its owner only. Throws the errors of the file system. */
  static open(path: string, clock: Pick<Clock, "now" | "monotonic">): PacketCapture {
    return new PacketCapture(openSync(path, "w", 0o600), clock);
  }

  /** Adds copies of packets. An error of the file system ends the capture, and is thrown by `close`. */
  add(packets: readonly Uint8Array[]): void {
    if (this.#isClosed || this.#error !== undefined) return;
    const timeMs = this.#originMs + this.#clock.monotonic();
    for (const packet of packets) {
      const entry = encodePcapPacket(packet, timeMs);
      this.#waiting.push(entry);
      this.#waitingBytes += entry.length;
    }
    if (this.#waitingBytes >= batchBytes) this.#flush();
  }

  /** Writes what is left. Throws the first error of the file system. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#flush();
    this[Symbol.dispose]();
    if (this.#error !== undefined) throw this.#error;
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#file);
  }

  #flush(): void {
    const batch = Buffer.concat(this.#waiting.splice(0));
    this.#waitingBytes = 0;
    if (this.#error !== undefined) return;
    try {
      for (let start = 0; start < batch.length;) start += writeSync(this.#file, batch, start);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#error = error;
    }
  }
}
