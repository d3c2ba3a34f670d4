import { writeSync } from "node:fs";

import { Backoff, type Clock, systemErrorCode, Turnstile } from "@slipway/runtime";

import { ConnectionError } from "../connections/write-to.ts";

/** The delays between attempts to write to a full terminal; no event tells when a program has read from it. */
const fullBackoff = { firstMs: 1, maxMs: 50, factor: 2, jitter: 0 };

/**
 * The input of a terminal, by a descriptor that does not block. A stream of `node:tty` is unsuitable: it retries a full
 * terminal in a loop, during which nothing reads its output, so that the program never reads its input either.
 */
export class TerminalInput {
  readonly #fd: number;
  readonly #isOpen: () => boolean;
  readonly #turns = new Turnstile((inside) => inside === 0);

  /** `isOpen` reports whether the descriptor is still the terminal's. */
  constructor(fd: number, isOpen: () => boolean) {
    this.#fd = fd;
    this.#isOpen = isOpen;
  }

  /**
   * Types bytes after those of earlier calls. Resolves when the terminal has taken all of them. Rejects with
   * `ConnectionError` once it is closed, and with the signal's reason.
   */
  write(bytes: Uint8Array, clock: Clock, signal: AbortSignal): Promise<void> {
    return this.#turns.run(signal, async () => {
      const backoff = new Backoff(fullBackoff);
      for (let at = 0; at < bytes.length;) {
        const taken = this.#offer(bytes.subarray(at));
        at += taken;
        if (taken > 0) backoff.reset();
        else await clock.sleep(backoff.next(), signal);
      }
    });
  }

  /** Returns the number of bytes that the terminal has taken. */
  #offer(bytes: Uint8Array): number {
    if (!this.#isOpen()) throw closed(undefined);
    try {
      return writeSync(this.#fd, bytes);
    } catch (error) {
      if (systemErrorCode(error) === "EAGAIN") return 0;
      throw closed(error);
    }
  }
}

function closed(cause: unknown): ConnectionError {
  return new ConnectionError("the terminal is closed", { cause });
}
