import { mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeEach, expect, it, onTestFinished } from "vitest";

import { spawnAgent } from "./spawn-agent.ts";

let directory: string;
let logPath: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-spawn-"));
  logPath = join(directory, "agent.log");
  onTestFinished(() => rm(directory, { recursive: true }));
});

/** Spawns a program that says something, and waits until it is in the log. */
async function spawnWith(said: string): Promise<string> {
  const command = ["/bin/sh", "-c", `echo ${said}; echo problem >&2`];
  await spawnAgent({ command, environment: {}, directory, logPath, user: undefined });
  const log = (): Promise<string> => readFile(logPath, "utf8");
  await expect.poll(log).toContain(`${said}\nproblem\n`);
  return log();
}

it("appends the output to the log, which only its owner reads", async () => {
  expect(await spawnWith("one")).toBe("one\nproblem\n");
  expect(await spawnWith("two")).toBe("one\nproblem\ntwo\nproblem\n");
  expect((await stat(logPath)).mode & 0o777).toBe(0o600);
});

it("begins a new log once the old one is large, and keeps that", async () => {
  const bytes = 5 * 1024 * 1024;
  await writeFile(logPath, "old");
  await truncate(logPath, bytes);
  await spawnWith("one");
  expect((await stat(logPath)).size).toBeGreaterThan(bytes);
  expect(await spawnWith("two")).toBe("two\nproblem\n");
  expect((await readFile(`${logPath}.1`)).subarray(0, 3).toString()).toBe("old");
});
