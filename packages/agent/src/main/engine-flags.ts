import { setFlagsFromString } from "node:v8";

/**
 * Keeps the young generation at 1 MB: an agent makes little garbage, and V8 would let it grow to 16 MB. It works for what
 * comes after it.
 */
export function limitYoungGeneration(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}

/** V8's defaults: the calls after which it optimizes a function, and the iterations after which it optimizes a loop. */
const optimizationThresholds = {
  "invocation-count-for-maglev": 400,
  "invocation-count-for-maglev-osr": 100,
  "invocation-count-for-turbofan": 3000,
  "invocation-count-for-osr": 500,
};

/** The multiple of the thresholds that the reading of descriptors stays below. */
const loadingFactor = 20;

/**
 * Has V8 optimize later while the agent is loaded: the reader of descriptors is hot only then, and to load an optimizing
 * compiler for it takes megabytes. Returns a function that sets the defaults again.
 */
export function postponeOptimization(): () => void {
  multiplyThresholds(loadingFactor);
  return () => multiplyThresholds(1);
}

function multiplyThresholds(factor: number): void {
  for (const [flag, count] of Object.entries(optimizationThresholds)) {
    setFlagsFromString(`--${flag}=${count * factor}`);
  }
}
