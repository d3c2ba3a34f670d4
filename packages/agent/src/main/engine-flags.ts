import { setFlagsFromString } from "node:v8";

/**
 * Keeps the young generation at 1 MB, which suffices for an agent's garbage; V8 would let it grow to 16 MB. Call it before
 * anything else.
 */
export function limitYoungGeneration(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}

/** Turns off the optimizing compilers, whose code takes 8 MB, and collects their feedback only for frequent functions. */
const withoutCompilers = [
  "--no-maglev",
  "--no-turbofan",
  "--invocation-count-for-feedback-allocation=64",
];
/** V8's defaults. */
const withCompilers = ["--maglev", "--turbofan", "--invocation-count-for-feedback-allocation=8"];

/**
 * Lets the old generation grow to four times its live size before a full collection. Each packet of a connection is a buffer:
 * V8 would otherwise collect everything for each few megabytes of them, which takes a third of the agent's time.
 */
const withRoom = ["--no-optimize-for-size", "--heap-growing-percent=300"];

/** Restores speed. Repeated calls cost nothing. */
export interface SavedMemory {
  /** Turns on the optimizing compilers, for much work of one kind. */
  readonly optimize: () => void;
  /** Turns on the compilers and lets the heap grow, for connections. */
  readonly speedUp: () => void;
}

/** Makes V8 save memory at the expense of speed, for an idle agent: a compact heap and no compilers. */
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
