import type { Duplex } from "node:stream";

import { Waiters } from "@slipway/runtime";
import type { Connection, ServerChannel } from "ssh2";

import { SshError } from "./errors.ts";
import { isExchangingKeys, type RawChannel, rawChannelOf } from "./ssh2/ssh2.ts";

/** The type of extended data that is stderr (RFC 4254, 5.2). */
const stderrType = 1;

export type OutputName = "stdout" | "stderr";

/** Writes to a channel as fast as its client gives room and its connection accepts bytes. */
export class ChannelWriter {
  readonly #channel: RawChannel;
  readonly #output: ConnectionOutput;
  readonly #ended: AbortSignal;
  readonly #waiting = new Waiters();

  /** `ended` is aborted when the channel has ended. */
  constructor(channel: ServerChannel, output: ConnectionOutput, ended: AbortSignal) {
    this.#channel = rawChannelOf(channel);
    this.#output = output;
    this.#ended = ended;
    ended.addEventListener("abort", () => this.#waiting.wakeAll(), { once: true });
  }

  /**
   * Writes all bytes, which must not change until it resolves. Returns undefined if there is nothing to wait for.
   * Rejects with `SshError` "closed".
   */
  write(name: OutputName, bytes: Uint8Array): Promise<void> | undefined {
    const rest = this.#output.isFull ? bytes : this.#send(name, bytes);
    return rest.length === 0 ? undefined : this.#writeSlowly(name, rest);
  }

  async #writeSlowly(name: OutputName, bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0;) {
      await this.#output.room();
      if (!this.#isOpen()) throw new SshError("closed", "the channel is closed");
      const left = this.#send(name, rest);
      // Another channel may have filled the connection in the meantime.
      if (left === rest && !this.#output.isFull) await this.#roomInWindow();
      rest = left;
    }
  }

  /** Sends packets while there is room. Returns the rest. */
  #send(name: OutputName, bytes: Uint8Array): Uint8Array {
    const { outgoing } = this.#channel;
    let rest = bytes;
    while (rest.length > 0 && this.#isOpen() && !this.#output.isFull) {
      const length = Math.min(rest.length, outgoing.packetSize, outgoing.window);
      if (length === 0) return rest;
      outgoing.window -= length;
      this.#channel.send(rest.subarray(0, length), name === "stderr" ? stderrType : undefined);
      rest = rest.subarray(length);
    }
    return rest;
  }

  #isOpen(): boolean {
    const { state, packetSize } = this.#channel.outgoing;
    return !this.#ended.aborted && state === "open" && packetSize >= 1;
  }

  async #roomInWindow(): Promise<void> {
    const room = this.#waiting.next();
    this.#channel.onRoom(() => this.#waiting.wakeAll());
    await room;
  }
}

/** The unsent bytes of a connection above which its client's input is not read: otherwise, answers pile up. */
const maxUnsentBytes = 1024 * 1024;

/**
 * The place where all channels of a connection wait until the client has read the sent data, or keys were exchanged.
 */
export class ConnectionOutput {
  readonly #client: Connection;
  readonly #socket: Duplex;
  readonly #waiting = new Waiters();

  constructor(client: Connection, socket: Duplex) {
    this.#client = client;
    this.#socket = socket;
    const wake = (): void => this.#waiting.wakeAll();
    socket.on("drain", () => {
      socket.resume();
      wake();
    });
    socket.once("close", wake);
    client.on("handshake", wake);
    socket.on("data", () => {
      if (socket.writableNeedDrain && socket.writableLength > maxUnsentBytes) socket.pause();
    });
  }

  /** True if writing must wait. */
  get isFull(): boolean {
    return this.#socket.writableNeedDrain || isExchangingKeys(this.#client);
  }

  /** Resolves once there is room, or the connection is closed. */
  async room(): Promise<void> {
    while (this.isFull && !this.#socket.destroyed) await this.#waiting.next();
  }
}
