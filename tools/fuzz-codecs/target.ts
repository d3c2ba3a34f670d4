/** One codec or parser, and the promises it must keep for every input. */
export interface FuzzTarget {
  readonly name: string;
  /** Initial inputs, of as many kinds as possible. */
  readonly seeds: () => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
  /** Texts that have a meaning in the format. */
  readonly words: readonly string[];
  /** The longest input, in bytes. */
  readonly maxBytes: number;
  /** The maximum processor time for one input, in milliseconds. */
  readonly maxMs: number;
  /** Throws if a promise does not hold; rejecting an input with the codec's own error is fine. */
  readonly check: (input: Uint8Array) => void | Promise<void>;
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Returns the input as text; bytes that are not UTF-8 become U+FFFD. */
export function textOf(input: Uint8Array): string {
  return new TextDecoder().decode(input);
}
