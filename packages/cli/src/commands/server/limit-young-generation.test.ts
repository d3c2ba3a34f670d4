import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { expect, it } from "vitest";

const file = fileURLToPath(new URL("limit-young-generation.ts", import.meta.url));

/** Makes objects that live for a while, and prints the size of the young generation in bytes. */
const burst = `
  import { getHeapSpaceStatistics } from "node:v8";
  let kept = [];
  for (let round = 0; round < 40; round += 1) {
    for (let index = 0; index < 30_000; index += 1) kept.push({ index, list: [index] });
    if (kept.length > 300_000) kept = [];
    await new Promise(setImmediate);
  }
  console.log(getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space").space_size);`;

async function youngBytesAfter(program: string): Promise<number> {
  const flags = ["--input-type=module", "--eval", program];
  return Number((await promisify(execFile)(process.execPath, flags)).stdout);
}

it("keeps the young generation small in a burst of work, in which it would grow otherwise", async () => {
  const limit = `import { limitYoungGeneration } from ${JSON.stringify(file)}; limitYoungGeneration();`;
  expect(await youngBytesAfter(burst)).toBeGreaterThan(32 * 1024 * 1024);
  expect(await youngBytesAfter(`${limit}${burst}`)).toBeLessThanOrEqual(16 * 1024 * 1024);
});
