import { statfs } from "node:fs/promises";
import { cpus, freemem, totalmem } from "node:os";

import type { Clock } from "@slipway/runtime";

import { CommandError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { isContainer, openControlGroup } from "./container.ts";
import type { Quantity } from "./quantity.ts";

/** The sampling time for processor usage, in milliseconds. */
const sampleMs = 100;

interface SampleNeeds {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Measures processor usage of the whole machine. */
export async function hostCpu(needs: SampleNeeds): Promise<Quantity> {
  const total = cpus().length;
  const { spent, passedMs } = await sample(() => Promise.resolve(busyMs()), needs);
  return { total, unit: "cores", used: rounded(Math.min(total, (spent ?? 0) / passedMs)) };
}

/** Measures processor usage of the container; null outside of one. `root` is `/`. */
export async function containerCpu(root: string, needs: SampleNeeds): Promise<Quantity | null> {
  if (!(await isContainer(root))) return null;
  const group = await openControlGroup(root);
  const { spent, passedMs } = await sample(() => group.cpuTimeUs(), needs);
  if (spent === undefined) return null;
  const total = (await group.cores()) ?? null;
  return { total, unit: "cores", used: rounded(spent / 1000 / passedMs) };
}

/** Measures the unavailable memory of the whole machine. */
export function hostMemory(): Quantity {
  return { total: totalmem(), unit: "B", used: totalmem() - freemem() };
}

/** Measures memory of the container; null outside of one. A limit beyond the machine's memory does not count. */
export async function containerMemory(root: string): Promise<Quantity | null> {
  if (!(await isContainer(root))) return null;
  const group = await openControlGroup(root);
  const used = await group.memory();
  if (used === undefined) return null;
  const limit = await group.maxMemory();
  return { total: limit === undefined || limit > totalmem() ? null : limit, unit: "B", used };
}

/** Measures the file system that contains a path. Throws `CommandError` if the path does not exist. */
export async function disk(path: string): Promise<Quantity> {
  try {
    const { blocks, bfree, bsize } = await statfs(path);
    return { total: blocks * bsize, unit: "B", used: (blocks - bfree) * bsize };
  } catch (error) {
    throw new CommandError(`cannot read the file system of ${path}`, {
      hint: "pass an existing path with --path",
      exitCode: exitCodes.notFound,
      cause: error,
    });
  }
}

/** Measures the growth of a counter over some time. */
async function sample(
  read: () => Promise<number | undefined>,
  { clock, signal }: SampleNeeds,
): Promise<{ readonly spent: number | undefined; readonly passedMs: number }> {
  const start = clock.monotonic();
  const before = await read();
  await clock.sleep(sampleMs, signal);
  const after = await read();
  const passedMs = Math.max(1, clock.monotonic() - start);
  if (before === undefined || after === undefined) return { spent: undefined, passedMs };
  return { spent: Math.max(0, after - before), passedMs };
}

/** Returns the time that all processors have been busy so far, in milliseconds. */
function busyMs(): number {
  return cpus().reduce(
    (sum, { times }) => sum + times.user + times.nice + times.sys + times.irq,
    0,
  );
}

/** Rounds to a thousandth of a core, the precision of the measurement. */
function rounded(cores: number): number {
  return Math.round(cores * 1000) / 1000;
}
