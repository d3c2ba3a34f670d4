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

  /** Writes all bytes, which must not change until it resolves. Rejects with `SshError` "closed". */
  async write(name: OutputName, bytes: Uint8Array): Promise<void> {
    const { outgoing } = this.#inside;
    for (let rest = bytes; rest.length > 0;) {
      await this.#output.room();
      const length = Math.min(rest.length, outgoing.packetSize, outgoing.window);
      if (this.#ended.aborted || outgoing.state !== "open" || outgoing.packetSize < 1) {
        throw new SshError("closed", "the channel is closed");
      }
      if (length > 0) {
        outgoing.window -= length;
        this.#inside.send(rest.subarray(0, length), name === "stderr" ? stderrType : undefined);
        rest = rest.subarray(length);
      } else {
        await this.#roomInWindow();
      }
    }
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
