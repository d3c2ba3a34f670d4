import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createFakeClock, isAlive } from "@slipway/testkit";
import { expect, it, onTestFinished } from "vitest";

import type { BuildHold, LeaseTimes } from "../driver-build.ts";
import { guardedCommand, holdForRun, RunLease } from "./run-lease.ts";

async function makeLease(text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-lease-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, "lease");
  await writeFile(path, text);
  return path;
}

/** Runs a shell script under a guard, and resolves to how it ended. */
async function run(leasePath: string, script: string, line = "\n"): Promise<unknown[]> {
  const { program, args } = guardedCommand(leasePath, "/bin/sh", ["-c", script]);
  const child = spawn(program, [...args], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.stdin.end(line);
  return once(child, "exit");
}

const seconds = (fromNow: number): number => Math.floor(Date.now() / 1000) + fromNow;

it("leaves a program alone within its times", async () => {
  const path = await makeLease(`${seconds(600)} ${seconds(600)}\n`);
  expect(await run(path, "sleep 2; exit 7")).toEqual([7, null]);
});

it("interrupts a program once, and kills it at its last time", async () => {
  const script = "trap 'exit 3' INT; while :; do sleep 0.1; done";
  // Before that, a busy machine takes a moment to begin.
  const patient = await makeLease(`${seconds(5)} ${seconds(600)}\n`);
  expect(await run(patient, script)).toEqual([3, null]);
  const short = await makeLease(`${seconds(5)} ${seconds(6)}\n`);
  expect(await run(short, "trap '' INT; while :; do sleep 0.1; done")).toEqual([null, "SIGKILL"]);
});

it("kills what an interrupted program has started and left", async () => {
  const path = await makeLease(`${seconds(5)} ${seconds(600)}\n`);
  const script = `trap 'exit 3' INT; sleep 1000 & echo $! >${path}.pid; wait`;
  expect(await run(path, script)).toEqual([3, null]);
  const pid = Number(await readFile(`${path}.pid`, "utf8"));
  await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
});

it("keeps the last times of a file that is gone", async () => {
  const path = await makeLease(`${seconds(600)} ${seconds(6)}\n`);
  expect(await run(path, `rm ${path}; sleep 100`)).toEqual([null, "SIGKILL"]);
});

it("runs nothing when its server does not say so, when its time is over, and without times", async () => {
  const path = await makeLease(`${seconds(600)} ${seconds(600)}\n`);
  const script = `echo ran >${path}`;
  expect(await run(path, script, "")).toEqual([1, null]);
  const late = await makeLease(`${seconds(-1)} ${seconds(600)}\n`);
  expect(await run(late, script)).toEqual([1, null]);
  expect(await run(join(tmpdir(), "slipway-lease-absent", "lease"), script)).toEqual([1, null]);
  expect(await readFile(path, "utf8")).not.toContain("ran");
});

const limits = { maxSilenceMs: 120_000, graceMs: 300_000 };

it("holds the job for longer than its program can run on without a renewal", async () => {
  const asked: LeaseTimes[] = [];
  const hold = async (times: LeaseTimes): Promise<BuildHold> => {
    asked.push(times);
    return { renewedAtMs: () => 0, [Symbol.asyncDispose]: async () => undefined };
  };
  await holdForRun({ hold }, limits);
  expect(asked).toEqual([{ lastsMs: 480_000, patienceMs: 120_000 }]);
});

it("follows the renewals, until the program is interrupted or the lease is disposed of", async () => {
  const path = await makeLease("");
  const clock = createFakeClock();
  let renewedAtMs = 1_000_000;
  const hold = { renewedAtMs: () => renewedAtMs, [Symbol.asyncDispose]: async () => undefined };
  const text = (): Promise<string> => readFile(path, "utf8");
  {
    await using lease = await RunLease.open(path, hold, { limits, clock });
    expect(await text()).toBe("1120 1420\n");
    renewedAtMs += 10_000;
    await clock.advance(500);
    await expect.poll(text).toBe("1130 1430\n");
    await lease.interrupt();
    expect(await text()).toBe("0 1430\n");
  }
  expect(clock.sleepers).toBe(0);
});
