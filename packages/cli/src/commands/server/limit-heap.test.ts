import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { expect, it } from "vitest";

const file = fileURLToPath(new URL("limit-heap.ts", import.meta.url));

const limit = `import { limitHeap } from ${JSON.stringify(file)}; limitHeap();`;

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

/** Replaces objects that have grown old, and prints the largest size of the heap in bytes. */
const churn = `
  const kept = Array.from({ length: 200_000 }, (_, index) => ({ index, list: [index, index] }));
  let most = 0;
  for (let round = 0; round < 400; round += 1) {
    for (let index = 0; index < 5_000; index += 1) {
      kept[(round * 5_000 + index) % kept.length] = { index, list: [index, index] };
    }
    await new Promise(setImmediate);
    most = Math.max(most, process.memoryUsage().heapUsed);
  }
  console.log(most);`;

async function bytesOf(program: string): Promise<number> {
  const flags = ["--input-type=module", "--eval", program];
  return Number((await promisify(execFile)(process.execPath, flags)).stdout);
}

it("keeps the young generation small in a burst of work, in which it would grow otherwise", async () => {
  expect(await bytesOf(burst)).toBeGreaterThan(32 * 1024 * 1024);
  expect(await bytesOf(`${limit}${burst}`)).toBeLessThanOrEqual(16 * 1024 * 1024);
});

it("lets less garbage lie in the heap than there would be otherwise", async () => {
  expect(await bytesOf(`${limit}${churn}`)).toBeLessThan(0.8 * (await bytesOf(churn)));
});
