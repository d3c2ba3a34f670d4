import { writeSync } from "node:fs";

import { Backoff, type Clock, systemErrorCode, Turnstile } from "@slipway/runtime";

import { ConnectionError } from "../connections/write-to.ts";

/** The delays before a full terminal is tried again; nothing tells when a program has read from it. */
const fullBackoff = { firstMs: 1, maxMs: 50, factor: 2, jitter: 0 };

/**
 * The way into a terminal, by a descriptor that does not block. A stream of `node:tty` is none: it tries a full terminal
 * again until it has room, during which nothing reads what the terminal has to say, and so the program never reads either.
 */
export class TerminalInput {
  readonly #fd: number;
  readonly #isOpen: () => boolean;
  readonly #turns = new Turnstile((inside) => inside === 0);

  /** `isOpen` says whether the descriptor is still the terminal's. */
  constructor(fd: number, isOpen: () => boolean) {
    this.#fd = fd;
    this.#isOpen = isOpen;
  }

  /**
   * Types bytes, after those of earlier calls; resolves when the terminal has taken them all. Rejects with
   * `ConnectionError` "closed" once it is closed, and with the signal's reason.
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
