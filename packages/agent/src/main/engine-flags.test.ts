import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { expect, it } from "vitest";

const file = fileURLToPath(new URL("engine-flags.ts", import.meta.url));

/** Prints whether V8 has optimized a constantly running function, before and after saving ends. */
const program = `
  import { saveMemory } from ${JSON.stringify(file)};
  const { optimize, speedUp } = saveMemory();
  function add(a, b) { return a + b; }
  const isOptimized = async () => {
    let sum = 0;
    for (let round = 0; round < 50; round += 1) {
      for (let index = 0; index < 10_000; index += 1) sum = add(sum, index);
      await new Promise((resolve) => setTimeout(resolve, 1));
      // The bit kOptimized.
      if ((%GetOptimizationStatus(add) & 16) !== 0) return true;
    }
    return false;
  };
  const before = await isOptimized();
  speedUp();
  optimize();
  console.log(before, await isOptimized());`;

it("leaves optimization out until it is told to end", async () => {
  const flags = ["--allow-natives-syntax", "--input-type=module", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, flags);
  expect(stdout).toBe("false true\n");
});
