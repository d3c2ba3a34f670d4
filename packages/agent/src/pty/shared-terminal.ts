import type { Clock } from "@slipway/runtime";

import type { AcceptedConnection } from "../connections/accepted-connection.ts";
import { endConnection } from "../connections/end-connection.ts";
import type { PreparedCommand } from "../process/spawn-group.ts";
import { PseudoTerminal } from "../terminal/pseudo-terminal.ts";
import type { TerminalSize } from "../terminal/terminal-size.ts";
import { ReplayBuffer } from "./replay-buffer.ts";

const replayBytes = 64 * 1024;
/** The most that a client may leave unread while others read; then it is cut off, and may come again. */
const maxBehindBytes = 4 * 1024 * 1024;
/** The clients of one terminal at once. */
const maxClients = 64;
/** The time without a client after which a terminal ends, before its first one and after its last. */
const firstClientMs = 30_000;
const nextClientMs = 5 * 60_000;

/**
 * A terminal that outlives its clients, and that several may share. All see its output; who comes later first sees the
 * newest 64 KiB. It goes on as fast as its fastest client reads, or at full speed without one.
 */
export class SharedTerminal {
  /** Resolves when its command has ended, or nobody came for too long. */
  readonly ended: Promise<void>;
  readonly pid: number;
  readonly #terminal: PseudoTerminal;
  readonly #clock: Clock;
  readonly #replay = new ReplayBuffer(replayBytes);
  readonly #clients = new Set<AcceptedConnection>();
  readonly #over = new AbortController();
  #waiting: AbortController | undefined;

  /** Starts the command. Throws `ProcessError` "spawn-failed". */
  constructor(command: PreparedCommand, size: TerminalSize, clock: Clock) {
    this.#clock = clock;
    this.#terminal = new PseudoTerminal(command, size);
    this.pid = this.#terminal.pid;
    this.#waitForClient(firstClientMs);
    this.ended = this.#run();
  }

  /** Hangs the terminal up. Idempotent. */
  close(): void {
    if (!this.#over.signal.aborted) this.#terminal.hangUp();
  }

  /** Shows the terminal to a client until that is closed; false if too many look at it already. */
  attach(client: AcceptedConnection, size: TerminalSize | undefined): boolean {
    if (this.#over.signal.aborted || this.#clients.size >= maxClients) return false;
    this.#waiting?.abort();
    this.#clients.add(client);
    client.once("close", () => this.#detach(client));
    const replay = this.#replay.read();
    if (replay.length > 0) client.write(replay);
    if (size !== undefined) this.resize(size);
    return true;
  }

  resize(size: TerminalSize): void {
    this.#terminal.resize(size);
  }

  /** Types a text; resolves when the terminal has taken it. */
  async type(text: string): Promise<void> {
    await this.#terminal.write(Buffer.from(text), this.#clock, this.#over.signal);
  }

  async #run(): Promise<void> {
    try {
      await this.#terminal.read((chunk) => this.#show(chunk), this.#clock);
    } finally {
      this.#over.abort();
      this.#waiting?.abort();
      for (const client of this.#clients) endConnection(client);
    }
  }

  async #show(chunk: Buffer): Promise<void> {
    this.#replay.add(chunk);
    let isSomeoneReady = this.#clients.size === 0;
    for (const client of this.#clients) {
      if (client.writableLength > maxBehindBytes) client.destroy();
      else if (client.write(chunk)) isSomeoneReady = true;
    }
    if (!isSomeoneReady) await this.#firstReady();
  }

  /** Resolves when one of the clients has read everything, or has gone. */
  #firstReady(): Promise<void> {
    const clients = [...this.#clients];
    return new Promise((resolve) => {
      const settle = (): void => {
        for (const client of clients) client.off("drain", settle).off("close", settle);
        resolve();
      };
      for (const client of clients) client.on("drain", settle).on("close", settle);
    });
  }

  #detach(client: AcceptedConnection): void {
    this.#clients.delete(client);
    if (this.#clients.size === 0 && !this.#over.signal.aborted) this.#waitForClient(nextClientMs);
  }

  #waitForClient(ms: number): void {
    const waiting = new AbortController();
    this.#waiting = waiting;
    void this.#clock.sleep(ms, waiting.signal).then(
      () => this.close(),
      () => undefined,
    );
  }
}
