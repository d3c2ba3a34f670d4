import { setFlagsFromString } from "node:v8";

/**
 * Keeps the young generation at 1 MB: an agent makes little garbage, and V8 would let it grow to 16 MB. It works for what
 * comes after it.
 */
export function limitYoungGeneration(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}

/** Feedback, which the compilers need, only about functions that are called often; the compilers' own code takes 8 MB. */
const withoutCompilers = [
  "--no-maglev",
  "--no-turbofan",
  "--invocation-count-for-feedback-allocation=64",
];
/** V8's defaults. */
const withCompilers = ["--maglev", "--turbofan", "--invocation-count-for-feedback-allocation=8"];

/**
 * Lets the old generation grow to four times what lives in it before everything is collected. Each packet of a connection
 * comes in a buffer of its own, and V8 would otherwise collect everything for each few megabytes of them, in a third of the
 * agent's time.
 */
const withRoom = ["--no-optimize-for-size", "--heap-growing-percent=300"];

/** The ways back to speed; each is free to call again. */
export interface SavedMemory {
  /** For much work of one kind: optimizing compilers. */
  readonly optimize: () => void;
  /** For connections: the compilers, and a heap that may grow. */
  readonly speedUp: () => void;
}

/** Has V8 save memory at the expense of speed, for an agent that has little to do: a compact heap, no compilers. */
export function saveMemory(): SavedMemory {
  let isOptimizing = false;
  let isCompact = true;
  setFlags([...withoutCompilers, "--optimize-for-size"]);
  const optimize = (): void => {
    if (isOptimizing) return;
    isOptimizing = true;
    setFlags(withCompilers);
  };
  return {
    optimize,
    speedUp: () => {
      optimize();
      if (!isCompact) return;
      isCompact = false;
      setFlags(withRoom);
    },
  };
}

function setFlags(flags: readonly string[]): void {
  for (const flag of flags) setFlagsFromString(flag);
}
