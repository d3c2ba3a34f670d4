import { Random } from "@slipway/testkit/random";

import { Coverage } from "./coverage.ts";
import { minimize } from "./minimize.ts";
import { mutate } from "./mutate.ts";
import type { FuzzTarget } from "./target.ts";

/** An input that breaks a promise. */
export interface Finding {
  readonly kind: "error" | "slow";
  /** The input, minimized. */
  readonly input: Uint8Array;
  readonly text: string;
}

export interface FuzzResult {
  readonly executions: number;
  /** Inputs that each reached new code. */
  readonly corpus: readonly Uint8Array[];
  readonly reachedCharacters: number;
  readonly finding: Finding | undefined;
}

export interface FuzzOptions {
  readonly seed: number;
  /** Reports whether to continue; called after each batch. */
  readonly goesOn: () => boolean;
  /** Inputs of an earlier run. */
  readonly earlier?: readonly Uint8Array[];
  /** Called before each input. */
  readonly onInput?: (input: Uint8Array) => void;
}

const largestBatch = 256;

/**
 * Feeds a target with its seeds and with mutations of the inputs that reached new code, until one fails or `goesOn`
 * returns false. The same seed tries the same inputs, as long as V8 counts the same.
 */
export async function fuzz(target: FuzzTarget, options: FuzzOptions): Promise<FuzzResult> {
  using coverage = new Coverage();
  const corpus: Uint8Array[] = [];
  let executions = 0;
  const run = async (input: Uint8Array): Promise<void> => {
    executions += 1;
    options.onInput?.(input);
    await checkInput(target, input);
  };
  const result = (finding?: Finding): FuzzResult => ({
    executions,
    corpus,
    reachedCharacters: coverage.reachedCharacters,
    finding,
  });
  const source = { ...target, corpus, random: new Random(options.seed) };
  let current: Uint8Array = new Uint8Array();
  const tryOne = async (input: Uint8Array): Promise<void> => {
    current = input;
    await run(input);
  };
  /** Finds an input that reaches new code by running halves of the batch again, and keeps it. */
  const keepOneOf = async (inputs: readonly Uint8Array[]): Promise<void> => {
    const [first] = inputs;
    if (first === undefined) return;
    if (inputs.length === 1) {
      await tryOne(first);
      if (coverage.mark()) corpus.push(first);
      return;
    }
    const middle = Math.ceil(inputs.length / 2);
    for (const input of inputs.slice(0, middle)) await tryOne(input);
    await keepOneOf(coverage.hasNew() ? inputs.slice(0, middle) : inputs.slice(middle));
  };
  try {
    for (const input of [...(await target.seeds()), ...(options.earlier ?? [])]) {
      await tryOne(input.subarray(0, target.maxBytes));
      if (coverage.mark()) corpus.push(current);
    }
    for (let size = 1; options.goesOn();) {
      const inputs = Array.from({ length: size }, () => mutate(source));
      for (const input of inputs) await tryOne(input);
      if (coverage.hasNew()) {
        await keepOneOf(inputs);
        size = Math.ceil(size / 2);
      } else size = Math.min(size * 2, largestBatch);
    }
  } catch (error) {
    return result(await explain(current, error, run));
  }
  return result();
}

/** Runs the check within its time limit. Throws the fault. */
export async function checkInput(target: FuzzTarget, input: Uint8Array): Promise<void> {
  const started = performance.now();
  const pending = target.check(input);
  if (pending !== undefined) await pending;
  if (performance.now() - started <= target.maxMs) return;
  // Other programs compete for the processor: the minimum of the input's times counts.
  let least = Number.POSITIVE_INFINITY;
  for (let again = 0; again < 3; again += 1) {
    const before = process.threadCpuUsage();
    await target.check(input);
    const { user, system } = process.threadCpuUsage(before);
    least = Math.min(least, (user + system) / 1_000);
  }
  if (least > target.maxMs) throw new SlowError(least, target.maxMs);
}

class SlowError extends Error {
  override readonly name = "SlowError";

  constructor(ms: number, maxMs: number) {
    super(`took ${ms.toFixed(0)} ms of processor time, wanted at most ${maxMs} ms`);
  }
}

async function explain(
  input: Uint8Array,
  error: unknown,
  run: (input: Uint8Array) => Promise<void>,
): Promise<Finding> {
  const signature = signatureOf(error);
  const smallest = await minimize(input, async (candidate) => {
    try {
      await run(candidate);
      return false;
    } catch (other) {
      return signatureOf(other) === signature;
    }
  });
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { kind: error instanceof SlowError ? "slow" : "error", input: smallest, text };
}

/** Returns the identity of a fault: the kind of error and the location of its throw. */
function signatureOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = error.stack?.split("\n").find((line) => line.trimStart().startsWith("at "));
  return `${error.name} ${place ?? ""}`;
}
