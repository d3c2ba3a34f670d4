/** One codec or parser, and what must hold of it for every input. */
export interface FuzzTarget {
  readonly name: string;
  /** Inputs to begin with; the more kinds of them, the better. */
  readonly seeds: () => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
  /** Texts that mean something to it. */
  readonly words: readonly string[];
  /** Longest input, in bytes. */
  readonly maxBytes: number;
  /** Most processor time for one input, in milliseconds. */
  readonly maxMs: number;
  /** Throws if something does not hold; refusing an input in the codec's own way is no such thing. */
  readonly check: (input: Uint8Array) => void | Promise<void>;
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The input as text; what is not UTF-8 becomes U+FFFD. */
export function textOf(input: Uint8Array): string {
  return new TextDecoder().decode(input);
}
