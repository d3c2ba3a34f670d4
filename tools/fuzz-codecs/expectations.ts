import { deepStrictEqual } from "node:assert/strict";

type ErrorClass = abstract new (...args: never[]) => Error;

/** The result of a call, or its refusal. */
export type Outcome<T> =
  | { readonly kind: "value"; readonly value: T }
  | { readonly kind: "refused"; readonly text: string };

/** Calls `read`; an error of a `known` class is an outcome, any other is rethrown. */
export function outcomeOf<T>(read: () => T, ...known: readonly ErrorClass[]): Outcome<T> {
  try {
    return { kind: "value", value: read() };
  } catch (error) {
    return refusal(error, known);
  }
}

/** Returns the value of a call; undefined if it failed with an error of a `known` class. */
export function valueOf<T>(read: () => T, ...known: readonly ErrorClass[]): T | undefined {
  const outcome = outcomeOf(read, ...known);
  return outcome.kind === "value" ? outcome.value : undefined;
}

function refusal(error: unknown, known: readonly ErrorClass[]): Outcome<never> {
  if (!(error instanceof Error) || !known.some((one) => error instanceof one)) throw error;
  return { kind: "refused", text: `${error.name}: ${error.message}` };
}

/** Throws if the two differ, with a message of bounded length. */
export function expectSame(what: string, got: unknown, wanted: unknown): void {
  try {
    deepStrictEqual(got, wanted);
  } catch (error) {
    throw new Error(`mismatch: ${what}`, { cause: error });
  }
}

/** Throws unless the condition holds. */
export function expectThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(`violated: ${what}`);
}

/** Cuts bytes into chunks of 1 to about `seed` bytes, the same way each time. */
export function chunksOf(bytes: Uint8Array, seed: number): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let state = seed + 1;
  for (let at = 0; at < bytes.length;) {
    state = (state * 31 + 17) % 257;
    const size = 1 + (state % (1 + (seed % 64)));
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}
