import { errorText } from "@slipway/runtime";
import {
  encodeTerminalPreamble,
  type TerminalStart,
} from "@slipway/wire/services/terminal-preamble";

import type { WorkspaceConnection } from "../workspace/workspace-connection.ts";
import type { TerminalLink } from "./terminal-link.ts";

/** The port of an agent's terminals (docs/protocol/tailnet.md §1.5). */
const terminalPort = 2;

/** An agent that answers nothing for 15 seconds is gone. */
const keepAlive = { idleMs: 5_000, intervalMs: 2_000, probes: 5 };

/** The maximum size of messages that wait to be sent, in bytes. */
const maxUnsentBytes = 1024 * 1024;

/** A connection of a terminal straight to its agent, over the encrypted network. */
export class TunnelLink implements TerminalLink {
  readonly #stream: Awaited<ReturnType<WorkspaceConnection["dial"]>>;
  readonly #closed = new AbortController();
  #writing: Promise<void> = Promise.resolve();
  #unsentBytes = 0;
  end = "closed";

  private constructor(stream: Awaited<ReturnType<WorkspaceConnection["dial"]>>) {
    this.#stream = stream;
  }

  /** Connects. Throws as `WorkspaceConnection.dial` does. */
  static async open(
    connection: Pick<WorkspaceConnection, "dial">,
    start: TerminalStart,
    signal: AbortSignal,
  ): Promise<TunnelLink> {
    const stream = await connection.dial(terminalPort, signal);
    stream.setKeepAlive(keepAlive);
    const link = new TunnelLink(stream);
    link.#write(encodeTerminalPreamble(start));
    return link;
  }

  send(message: object): void {
    this.#write(new TextEncoder().encode(JSON.stringify(message)));
  }

  close(reason = "closed"): void {
    if (this.#closed.signal.aborted) return;
    this.end = reason;
    this.#closed.abort();
    // What was written before is still sent.
    this.#stream.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    const { signal } = this.#closed;
    try {
      while (!signal.aborted) {
        const bytes = await this.#stream.read(signal);
        if (bytes === undefined) break;
        yield bytes;
      }
      this.close("closed by the agent");
    } catch (error) {
      if (!signal.aborted) this.close(errorText(error));
    }
  }

  #write(bytes: Uint8Array): void {
    const { signal } = this.#closed;
    if (signal.aborted) return;
    this.#unsentBytes += bytes.length;
    if (this.#unsentBytes > maxUnsentBytes) {
      this.close("the agent takes no input");
      return;
    }
    this.#writing = this.#writing
      .then(() => this.#stream.write(bytes, signal))
      .then(
        () => {
          this.#unsentBytes -= bytes.length;
        },
        (error: unknown) => this.close(errorText(error)),
      );
  }
}
