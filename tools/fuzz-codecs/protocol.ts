import type { Finding } from "./fuzz-loop.ts";

/** The order to a worker. */
export interface WorkerOrder {
  readonly target: string;
  readonly seed: number;
  readonly seconds: number;
  readonly earlier: readonly Uint8Array[];
  /** The `InputBoard` of the worker and its supervisor. */
  readonly board: SharedArrayBuffer;
}

/** The final report of a worker. */
export interface WorkerReport {
  readonly executions: number;
  readonly corpus: readonly Uint8Array[];
  readonly reachedCharacters: number;
  readonly finding: Finding | undefined;
}

const headBytes = 8;

/**
 * Memory shared by two threads: the current input and the number of inputs so far, which reveals an input that never
 * ends.
 */
export class InputBoard {
  readonly memory: SharedArrayBuffer;
  readonly #head: Int32Array;
  readonly #input: Uint8Array;

  constructor(memory: SharedArrayBuffer | number) {
    this.memory = typeof memory === "number" ? new SharedArrayBuffer(headBytes + memory) : memory;
    this.#head = new Int32Array(this.memory, 0, 2);
    this.#input = new Uint8Array(this.memory, headBytes);
  }

  /** Counts from 0 and wraps after 2^32. */
  get count(): number {
    return Atomics.load(this.#head, 0);
  }

  get input(): Uint8Array {
    return this.#input.slice(0, Atomics.load(this.#head, 1));
  }

  show(input: Uint8Array): void {
    this.#input.set(input);
    Atomics.store(this.#head, 1, input.length);
    Atomics.add(this.#head, 0, 1);
  }
}
