import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { expect, it } from "vitest";

const file = fileURLToPath(new URL("grow-heap.ts", import.meta.url));

/** Both tests count; how long their processes take is the machine's affair. */
const busyMachine = { timeout: 180_000 };

const grow = `import { growHeap } from ${JSON.stringify(file)}; growHeap();`;

/** Receives 100,000 packets, the last of which wait to be read, and prints the number of full collections. */
const receive = `
  import { constants, PerformanceObserver } from "node:perf_hooks";
  const { NODE_PERFORMANCE_GC_MAJOR: whole } = constants;
  let count = 0;
  const observer = new PerformanceObserver((list) => {
    count += list.getEntries().filter(({ detail }) => detail.kind === whole).length;
  });
  const alive = Array.from({ length: 100_000 }, (_, index) => ({ index, list: [index] }));
  observer.observe({ entryTypes: ["gc"] });
  const waiting = [];
  for (let packet = 0; packet < 100_000; packet += 1) {
    waiting.push(new Uint8Array(1300));
    if (waiting.length > 4000) waiting.splice(0, 2000);
    if (packet % 10 === 9) await new Promise(setImmediate);
  }
  await new Promise((resolve) => setTimeout(resolve, 0));
  console.log(alive.length > 0 ? count : Number.NaN);`;

async function countOf(program: string): Promise<number> {
  // V8 saves memory like this by itself once a process has been idle for some seconds; with threads of its own, the number
  // of collections would depend on when a busy machine lets them run.
  const saving = ["--optimize-for-size", "--single-threaded-gc"];
  const flags = [...saving, "--input-type=module", "--eval", program];
  return Number((await promisify(execFile)(process.execPath, flags)).stdout);
}

it(
  "has V8 collect everything at most half as often while packets come in",
  busyMachine,
  async () => {
    expect(await countOf(`${grow}${receive}`)).toBeLessThan(0.5 * (await countOf(receive)));
  },
);

it("leaves a short command the compiled modules of Node.js", busyMachine, async () => {
  const program = `
    import { growHeapLater } from ${JSON.stringify(file)};
    growHeapLater();
    await import("node:http2");`;
  const env = { NODE_DEBUG_NATIVE: "CODE_CACHE" };
  const flags = ["--input-type=module", "--eval", program];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, flags, { env });
  const said = stdout + stderr;
  expect(said).toContain("Code cache of http2 (BufferNotOwned) is accepted");
  expect(said).not.toContain("is rejected");
});
