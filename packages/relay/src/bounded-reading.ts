/**
 * The bytes of one connection that are taken in one turn of the event loop. The system would hand over up to 2 MiB in a row,
 * and everybody else on the server would wait until they are all carried on.
 */
export const maxBytesPerTurn = 256 * 1024;

/** A stream or a socket, as far as its reading is concerned. */
interface Readable {
  pause(): unknown;
  resume(): unknown;
}

/** Reads a stream in turns with everything else that the process does. Paused, it stays so until it is resumed. */
export class BoundedReading {
  readonly #stream: Readable;
  #bytes = 0;
  #isTurnDue = false;
  #isPaused = false;

  constructor(stream: Readable) {
    this.#stream = stream;
  }

  /** Notes that bytes were read, of which a turn has only so many. */
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
