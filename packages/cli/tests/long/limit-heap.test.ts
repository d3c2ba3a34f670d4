import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { expect, it } from "vitest";

const file = fileURLToPath(new URL("../../src/commands/server/limit-heap.ts", import.meta.url));

const load = `import { limitHeap } from ${JSON.stringify(file)};`;
const limit = `${load} limitHeap();`;
const alwaysLimit = `${load} limitHeap(Infinity);`;

/** Creates objects that live for a while, and prints the size of the young generation in bytes. */
const burst = `
  import { getHeapSpaceStatistics } from "node:v8";
  let kept = [];
  for (let round = 0; round < 40; round += 1) {
    for (let index = 0; index < 30_000; index += 1) kept.push({ index, list: [index] });
    if (kept.length > 300_000) kept = [];
    await new Promise(setImmediate);
  }
  console.log(getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space").space_size);`;

/** Replaces old objects, and prints the largest heap size in bytes. */
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

/** Receives packets, each in its own buffer, next to long-lived objects, and prints the number of full collections. */
const packets = `
  import { constants, PerformanceObserver } from "node:perf_hooks";
  const kept = Array.from({ length: 100_000 }, (_, index) => ({ index }));
  let count = 0;
  new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries()) {
      if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) count += 1;
    }
  }).observe({ entryTypes: ["gc"] });
  const received = [];
  for (let index = 0; index < 500_000; index += 1) {
    received[index % 10_000] = { bytes: Buffer.allocUnsafeSlow(2_000), parts: [index, index] };
    if (index % 50 === 0) await new Promise(setImmediate);
  }
  console.log(count, kept.length);`;

async function numberOf(program: string): Promise<number> {
  const flags = ["--input-type=module", "--eval", program];
  return Number.parseInt((await promisify(execFile)(process.execPath, flags)).stdout, 10);
}

it("keeps the young generation small in a burst of work, in which it would grow otherwise", async () => {
  expect(await numberOf(burst)).toBeGreaterThan(32 * 1024 * 1024);
  // 16 MiB, and some more while garbage collection threads wait for the processor.
  expect(await numberOf(`${limit}${burst}`)).toBeLessThan(24 * 1024 * 1024);
});

it("lets less garbage lie in the heap than there would be otherwise", async () => {
  expect(await numberOf(`${alwaysLimit}${churn}`)).toBeLessThan(0.8 * (await numberOf(churn)));
});

it("lets the heap grow while packets would have everything be collected again and again", async () => {
  const collections = await numberOf(`${limit}${packets}`);
  expect(collections).toBeLessThan(0.7 * (await numberOf(`${alwaysLimit}${packets}`)));
});
