import type { TcpConnection } from "@slipway/wire/tcp/connection";
import type { TcpError, TcpEvent } from "@slipway/wire/tcp/events";

import type { BytePattern } from "./byte-pattern.ts";

export interface EndPlan {
  /** The number of bytes to write before the end finishes its direction. */
  readonly sendBytes: number;
  /** True to leave the direction open after the last byte (default: false). */
  readonly staysOpen?: boolean;
  /** The maximum number of bytes per read (default: all). */
  readonly readBytes?: number;
}

/** One end of a connection under test: writes its pattern as fast as it may and compares the data it reads. */
export class TcpEnd {
  readonly #plan: EndPlan;
  readonly #pattern: BytePattern;
  readonly #peerPattern: BytePattern;
  connection: TcpConnection | undefined;
  readonly events: TcpEvent["type"][] = [];
  written = 0;
  read = 0;
  isSpoilt = false;
  isPeerFinished = false;
  isClosed = false;
  error: TcpError | undefined;

  constructor(plan: EndPlan, pattern: BytePattern, peerPattern: BytePattern) {
    this.#plan = plan;
    this.#pattern = pattern;
    this.#peerPattern = peerPattern;
  }

  /** True once the connection is closed and everything that arrived is read. */
  get isOver(): boolean {
    return this.isClosed && this.connection?.readable === 0;
  }

  /** Acts as the application: handles events, reads, writes, finishes. */
  serve(now: number): void {
    const { connection } = this;
    if (connection === undefined) return;
    for (const event of connection.takeEvents()) this.#take(event);
    this.#read(connection, now);
    this.#write(connection, now);
  }

  #take(event: TcpEvent): void {
    if (event.type !== "readable" && event.type !== "writable") this.events.push(event.type);
    if (event.type === "finished") this.isPeerFinished = true;
    if (event.type === "closed") {
      this.isClosed = true;
      this.error = event.error;
    }
  }

  #read(connection: TcpConnection, now: number): void {
    let left = this.#plan.readBytes ?? Number.POSITIVE_INFINITY;
    for (let part = connection.peek(); part !== undefined && left > 0; part = connection.peek()) {
      const bytes = part.subarray(0, Math.min(part.length, left));
      if (!this.#peerPattern.matches(this.read, bytes)) this.isSpoilt = true;
      this.read += bytes.length;
      left -= bytes.length;
      connection.consume(bytes.length, now);
    }
  }

  #write(connection: TcpConnection, now: number): void {
    const { sendBytes, staysOpen = false } = this.#plan;
    while (this.written < sendBytes) {
      const bytes = this.#pattern.view(this.written, sendBytes - this.written);
      const taken = connection.write(bytes, now);
      this.written += taken;
      if (taken < bytes.length) return;
    }
    if (!staysOpen && connection.state !== "syn-sent" && connection.state !== "syn-received") {
      connection.finish(now);
    }
  }
}
