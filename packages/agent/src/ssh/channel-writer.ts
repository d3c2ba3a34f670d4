import type { ServerChannel } from "ssh2";

import type { ConnectionOutput } from "./connection-output.ts";
import { SshError } from "./errors.ts";
import { type ChannelInside, insideOf } from "./ssh2.ts";

/** The type of extended data that is stderr (RFC 4254, 5.2). */
const stderrType = 1;

export type OutputName = "stdout" | "stderr";

/** Writes to a channel as much as its client has room for, and no more than its connection takes. */
export class ChannelWriter {
  readonly #inside: ChannelInside;
  readonly #output: ConnectionOutput;
  readonly #ended: AbortSignal;
  readonly #waiting = new Set<() => void>();

  /** The signal says that the channel is of no more use. */
  constructor(channel: ServerChannel, output: ConnectionOutput, ended: AbortSignal) {
    this.#inside = insideOf(channel);
    this.#output = output;
    this.#ended = ended;
    ended.addEventListener("abort", () => this.#wake(), { once: true });
  }

  /**
   * Writes all bytes, which must not change until it resolves; undefined if nothing has to be waited for. Rejects with
   * `SshError` "closed".
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
      // Another channel may have filled the connection meanwhile.
      if (left === rest && !this.#output.isFull) await this.#roomInWindow();
      rest = left;
    }
  }

  /** Sends packets while there is room, and returns what is left. */
  #send(name: OutputName, bytes: Uint8Array): Uint8Array {
    const { outgoing } = this.#inside;
    let rest = bytes;
    while (rest.length > 0 && this.#isOpen() && !this.#output.isFull) {
      const length = Math.min(rest.length, outgoing.packetSize, outgoing.window);
      if (length === 0) return rest;
      outgoing.window -= length;
      this.#inside.send(rest.subarray(0, length), name === "stderr" ? stderrType : undefined);
      rest = rest.subarray(length);
    }
    return rest;
  }

  #isOpen(): boolean {
    const { state, packetSize } = this.#inside.outgoing;
    return !this.#ended.aborted && state === "open" && packetSize >= 1;
  }

  async #roomInWindow(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting.add(resolve);
      this.#inside.onRoom(() => this.#wake());
    });
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
