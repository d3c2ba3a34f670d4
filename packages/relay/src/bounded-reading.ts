/**
 * The number of bytes of one connection read per turn of the event loop. The system would hand over up to 2 MiB in a
 * row, while everyone else on the server waits until they are forwarded.
 */
export const maxBytesPerTurn = 256 * 1024;

/** The reading side of a stream or a socket. */
interface Readable {
  pause(): unknown;
  resume(): unknown;
}

/** Reads a stream in turns with all other work of the process. A paused stream stays paused until it is resumed. */
export class BoundedReading {
  readonly #stream: Readable;
  #bytes = 0;
  #isTurnDue = false;
  #isPaused = false;

  constructor(stream: Readable) {
    this.#stream = stream;
  }

  /** Notes that bytes were read; a turn has a limited number of them. */
  took(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes >= maxBytesPerTurn) this.#stream.pause();
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    setImmediate(() => this.#nextTurn());
  }

  pause(): void {
    this.#isPaused = true;
    this.#stream.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#bytes < maxBytesPerTurn) this.#stream.resume();
  }

  #nextTurn(): void {
    const isFull = this.#bytes >= maxBytesPerTurn;
    this.#bytes = 0;
    this.#isTurnDue = false;
    if (isFull && !this.#isPaused) this.#stream.resume();
  }
}
