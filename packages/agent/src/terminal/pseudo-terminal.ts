import { ReadStream } from "node:tty";

import { BurstTimer, type Clock } from "@slipway/runtime";

import { ProcessError } from "../process/errors.ts";
import { keepFromChildren } from "../process/private-descriptors.ts";
import { signalGroup } from "../process/process-groups.ts";
import type { Exit, PreparedCommand } from "../process/spawn-group.ts";
import { loadNativePty, type LoadedPty, resizeTerminal } from "./native-pty.ts";
import { OutputBuffer } from "./output-buffer.ts";
import { startOnTerminal } from "./start-on-terminal.ts";
import { TerminalInput } from "./terminal-input.ts";
import type { TerminalSize } from "./terminal-size.ts";

/** The silence after which the output is complete, although background processes of the ended command keep it open. */
const silenceMs = 100;

/**
 * Receives output. If it returns a promise, nothing more is read until that resolves. Afterwards the chunk is overwritten,
 * unless `keep` was called.
 */
export type TerminalOutput = (chunk: Buffer, keep: () => void) => Promise<void> | undefined;

/** A command in its own session with a controlling terminal. Its opener calls `read`, and `hangUp` to end it. */
export class PseudoTerminal {
  readonly pid: number;
  readonly exit: Promise<Exit>;
  readonly #pty: LoadedPty;
  readonly #fd: number;
  readonly #stream: ReadStream;
  readonly #input: TerminalInput;
  readonly #output = new OutputBuffer();
  readonly #closed = Promise.withResolvers<void>();
  readonly #closing = new AbortController();
  #receive: (bytes: number) => void = () => undefined;
  #delivery: Promise<void> | undefined;
  #isClosed = false;
  #heardAt = 0;

  /** Starts the command. Throws `ProcessError` "spawn-failed". */
  constructor(command: PreparedCommand, size: TerminalSize) {
    try {
      this.#pty = loadNativePty();
      const started = startOnTerminal(command, size, this.#pty);
      this.pid = started.pid;
      this.exit = started.exit;
      this.#fd = started.fd;
    } catch (error) {
      throw new ProcessError("spawn-failed", `cannot open a terminal for ${command.file}`, {
        cause: error,
      });
    }
    const kept = keepFromChildren(this.#fd);
    this.#stream = this.#openStream();
    this.#input = new TerminalInput(this.#fd, () => !this.#isClosed && !this.#stream.destroyed);
    // EIO: the other end is closed.
    this.#stream.on("error", () => undefined);
    this.#stream.on("close", () => {
      this.#closing.abort();
      this.#isClosed = true;
      kept[Symbol.dispose]();
      this.#closed.resolve();
    });
  }

  /**
   * Delivers all output. Resolves to the exit once both are complete. Call it once. Drops the output of background processes
   * once the command has ended. After `hangUp`, output that was not delivered is lost.
   */
  async read(deliver: TerminalOutput, clock: Clock): Promise<Exit> {
    const failure = Promise.withResolvers<never>();
    failure.promise.catch(() => undefined);
    const keep = (): void => this.#output.keep();
    const burst = new BurstTimer({
      clock,
      signal: this.#closing.signal,
      deliver: () => {
        const delivery = deliver(this.#output.take(), keep);
        if (delivery === undefined) return;
        this.#stream.pause();
        this.#delivery = this.#deliver(delivery, clock).catch(failure.reject);
      },
    });
    this.#receive = (bytes) => {
      this.#heardAt = clock.monotonic();
      this.#output.add(bytes);
      burst.add(bytes);
    };
    // Before the terminal counts as closed.
    this.#stream.prependListener("close", () => burst.flush());
    this.#stream.resume();
    const exit = await Promise.race([this.exit, failure.promise]);
    await Promise.race([this.#drained(clock), failure.promise]);
    this.#stream.destroy();
    return exit;
  }

  /** Types into the terminal. Resolves when it has taken all bytes. Rejects with `ConnectionError` once it is closed. */
  async write(bytes: Uint8Array, clock: Clock, signal: AbortSignal): Promise<void> {
    await this.#input.write(bytes, clock, signal);
  }

  /** Resizes the terminal, unless it has hung up. */
  resize(size: TerminalSize): void {
    if (this.#isClosed || this.#stream.destroyed) return;
    resizeTerminal(this.#pty.native, this.#fd, size);
  }

  /** Hangs up the terminal: its processes get SIGHUP, from the kernel and from us. */
  hangUp(): void {
    signalGroup(this.pid, "SIGHUP");
    this.#stream.destroy();
  }

  /** Opens a stream that reads into our buffer: by default, one allocates 64 KiB for each read of about 4 KiB. */
  #openStream(): ReadStream {
    const buffer = (): Buffer => this.#output.room();
    const callback = (bytes: number): boolean => {
      this.#receive(bytes);
      return true;
    };
    return new ReadStream(this.#fd, { onread: { buffer, callback } });
  }

  async #deliver(delivered: Promise<void>, clock: Clock): Promise<void> {
    await delivered;
    this.#delivery = undefined;
    this.#heardAt = clock.monotonic();
    this.#stream.resume();
  }

  /** Resolves when the terminal is closed, or has been silent for a while although it was read. */
  async #drained(clock: Clock): Promise<void> {
    this.#heardAt = clock.monotonic();
    const isOver = new AbortController();
    try {
      while (!this.#isClosed) {
        const silence = clock.monotonic() - this.#heardAt;
        if (this.#delivery !== undefined) await this.#delivery;
        else if (silence >= silenceMs) return;
        else {
          await Promise.race([
            this.#closed.promise,
            clock.sleep(silenceMs - silence, isOver.signal).catch(() => undefined),
          ]);
        }
      }
      // The last chunk may still be in delivery.
      await this.#delivery;
    } finally {
      isOver.abort();
    }
  }
}
