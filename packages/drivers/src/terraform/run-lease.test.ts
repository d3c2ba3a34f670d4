import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { guardedCommand } from "./run-lease.ts";

async function makeLease(text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-lease-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, "lease");
  await writeFile(path, text);
  return path;
}

/** Runs a shell script under a guard, and resolves to how it ended. */
async function run(leasePath: string, script: string): Promise<unknown[]> {
  const { program, args } = guardedCommand(leasePath, "/bin/sh", ["-c", script]);
  return once(spawn(program, [...args], { detached: true, stdio: "ignore" }), "exit");
}

it("leaves a program alone within its times", async () => {
  const later = Math.floor(Date.now() / 1000) + 600;
  expect(await run(await makeLease(`${later} ${later}\n`), "sleep 2; exit 7")).toEqual([7, null]);
});

it("interrupts a program once, and kills it at its last time", async () => {
  const later = Math.floor(Date.now() / 1000) + 600;
  const path = await makeLease(`0 ${later}\n`);
  const script = "trap 'exit 3' INT; while :; do sleep 0.1; done";
  expect(await run(path, script)).toEqual([3, null]);
  await writeFile(path, "0 0\n");
  expect(await run(path, "trap '' INT; while :; do sleep 0.1; done")).toEqual([null, "SIGKILL"]);
});

it("kills a program whose times were never there", async () => {
  const path = join(tmpdir(), "slipway-lease-absent", "lease");
  expect(await run(path, "sleep 100")).toEqual([null, "SIGKILL"]);
});
