import { setFlagsFromString } from "node:v8";

/**
 * Keeps the young generation at 1 MB: an agent makes little garbage, and V8 would let it grow to 16 MB. It works for what
 * comes after it.
 */
export function limitYoungGeneration(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}

/**
 * V8 for an agent to which nobody is connected: a compact heap, no optimizing compilers, whose own code takes 8 MB, and
 * feedback, which they need, only about functions that are called often.
 */
const frugal = [
  "--optimize-for-size",
  "--no-maglev",
  "--no-turbofan",
  "--invocation-count-for-feedback-allocation=64",
];
/** V8's defaults. */
const fast = [
  "--no-optimize-for-size",
  "--maglev",
  "--turbofan",
  "--invocation-count-for-feedback-allocation=8",
];

/** Has V8 save memory at the expense of speed. Returns a function that sets the defaults again, for the first call. */
export function saveMemory(): () => void {
  let isFrugal = true;
  setFlags(frugal);
  return () => {
    if (!isFrugal) return;
    isFrugal = false;
    setFlags(fast);
  };
}

function setFlags(flags: readonly string[]): void {
  for (const flag of flags) setFlagsFromString(flag);
}
