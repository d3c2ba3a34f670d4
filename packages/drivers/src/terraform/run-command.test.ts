import { writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "@slipway/runtime";
import { isAlive } from "@slipway/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";

import { procTable } from "../process/proc-table.ts";
import { psTable } from "../process/ps-table.ts";
import { type CommandOptions, runCommand } from "./run-command.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-run-"));
});
afterAll(() => rm(directory, { recursive: true }));

const { signal: never } = new AbortController();

function options(script: string, fields: Partial<CommandOptions> = {}): CommandOptions {
  return {
    program: "/bin/sh",
    args: ["-c", script],
    directory,
    environment: { PATH: "/usr/bin:/bin" },
    user: undefined,
    outputPath: join(directory, "output.log"),
    limits: { graceMs: 60_000, maxRunMs: 60_000, maxQuietMs: 60_000, maxOutputBytes: 1024 * 1024 },
    clock: systemClock,
    table: process.platform === "linux" ? procTable() : psTable,
    onLine: () => undefined,
    onQuiet: () => undefined,
    onStart: async () => undefined,
    ...fields,
  };
}

it("reports the output of both streams and the exit code", async () => {
  const lines: string[] = [];
  const onLine = (line: Buffer): void => void lines.push(line.toString());
  const script = "echo one; echo two >&2; printf three; exit 3";
  expect(await runCommand(options(script, { onLine }), never)).toEqual({ code: 3 });
  expect(lines).toEqual(["one", "two", "three"]);
  expect((await stat(join(directory, "output.log"))).mode & 0o777).toBe(0o600);
});

it("keeps a result apart from messages", async () => {
  const resultPath = join(directory, "result");
  await runCommand(options("echo '{}'; echo note >&2", { resultPath }), never);
  expect(await readFile(resultPath, "utf8")).toBe("{}\n");
});

it("gives the program no variable but the given ones", async () => {
  const lines: string[] = [];
  const onLine = (line: Buffer): void => void lines.push(line.toString());
  await runCommand(options("env", { environment: { A: "1" }, onLine }), never);
  expect(lines.filter((line) => !/^(PWD|SHLVL|_|OLDPWD)=/.test(line))).toEqual(["A=1"]);
});

it("ends a program at once that could not be recorded", async () => {
  const full = new Error("no space left");
  await expect(
    runCommand(options("sleep 100", { onStart: () => Promise.reject(full) }), never),
  ).rejects.toThrow(full);
});

it("interrupts a canceled program and waits for it", async () => {
  const canceling = new AbortController();
  const reason = new Error("canceled");
  const script = `trap 'echo saved; exit 0' INT; echo up; while :; do sleep 0.05; done`;
  const lines: string[] = [];
  const onLine = (line: Buffer): void => {
    lines.push(line.toString());
    if (lines.length === 1) canceling.abort(reason);
  };
  await expect(runCommand(options(script, { onLine }), canceling.signal)).rejects.toBe(reason);
  expect(lines).toEqual(["up", "saved"]);
});

it("kills a program that ignores the interrupt, with what it started", async () => {
  const canceling = new AbortController();
  const reason = new Error("canceled");
  const script = `trap '' INT; sleep 1000 & echo $!; wait`;
  let pid = 0;
  const onLine = (line: Buffer): void => {
    pid = Number(line.toString());
    canceling.abort(reason);
  };
  const limits = { graceMs: 50, maxRunMs: 60_000, maxQuietMs: 60_000, maxOutputBytes: 1024 };
  await expect(runCommand(options(script, { onLine, limits }), canceling.signal)).rejects.toBe(
    reason,
  );
  await expect.poll(() => isAlive(pid)).toBe(false);
});

it.each([
  ["is interrupted", "trap 'exit 1' INT; sleep 1000 & echo $!; wait"],
  ["is killed by others", "sleep 1000 & echo $!; kill -KILL $$"],
])("ends what a program that %s has started and left", async (_case, script) => {
  const canceling = new AbortController();
  let pid = 0;
  const onLine = (line: Buffer): void => {
    pid = Number(line.toString());
    canceling.abort(new Error("canceled"));
  };
  await runCommand(options(script, { onLine }), canceling.signal).catch(() => undefined);
  await expect.poll(() => isAlive(pid)).toBe(false);
});

it("leaves alone what a program started that has ended by itself", async () => {
  let pid = 0;
  const onLine = (line: Buffer): void => void (pid = Number(line.toString()));
  const script = "sleep 1000 >/dev/null 2>&1 & echo $!";
  expect(await runCommand(options(script, { onLine }), never)).toEqual({ code: 0 });
  expect(isAlive(pid)).toBe(true);
  process.kill(pid);
});

it("ends a program that runs too long", async () => {
  const limits = { graceMs: 60_000, maxRunMs: 60, maxQuietMs: 60_000, maxOutputBytes: 1024 };
  await expect(runCommand(options("exec sleep 1000", { limits }), never)).rejects.toMatchObject({
    code: "run-failed",
    message: "-c ran for more than 0.001 minutes",
  });
});

it("leaves no timer of a program that has ended", async () => {
  const sleeping: AbortSignal[] = [];
  const sleep = (ms: number, signal: AbortSignal): Promise<void> => {
    sleeping.push(signal);
    return systemClock.sleep(ms, signal);
  };
  await runCommand(options("true", { clock: { ...systemClock, sleep } }), never);
  expect(sleeping.filter(({ aborted }) => !aborted)).toEqual([]);
});

it("says why it ended a program, not what that did in answer", async () => {
  const isLate = Promise.withResolvers<void>();
  const limits = { graceMs: 60_000, maxRunMs: 90_000, maxQuietMs: 60_000, maxOutputBytes: 10_000 };
  const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
    ms === limits.maxRunMs ? isLate.promise : systemClock.sleep(ms, signal);
  const script = "trap 'yes | head -c 20000; exit' INT; echo up; while :; do sleep 0.05; done";
  const clock = { ...systemClock, sleep };
  const onLine = (): void => isLate.resolve();
  await expect(runCommand(options(script, { limits, clock, onLine }), never)).rejects.toMatchObject(
    { message: "-c ran for more than 1.5 minutes" },
  );
});

it("ends a program that prints too much", async () => {
  const limits = { graceMs: 60_000, maxRunMs: 60_000, maxQuietMs: 60_000, maxOutputBytes: 100_000 };
  await expect(runCommand(options("exec yes", { limits }), never)).rejects.toMatchObject({
    message: "printed more than 100000 bytes: let the programs that it runs print less",
  });
});

it("keeps the output small of a program that does not end when it printed too much", async () => {
  const limits = { graceMs: 2_000, maxRunMs: 60_000, maxQuietMs: 60_000, maxOutputBytes: 100_000 };
  const outputPath = join(directory, "endless.log");
  const sizes: number[] = [];
  const watching = new AbortController();
  const watch = async (): Promise<void> => {
    while (!watching.signal.aborted) {
      sizes.push((await stat(outputPath).catch(() => ({ size: 0 }))).size);
      await systemClock.sleep(10, never);
    }
  };
  const watched = watch();
  const script = `trap '' INT; while :; do echo ${"x".repeat(100)}; done`;
  await expect(runCommand(options(script, { limits, outputPath }), never)).rejects.toMatchObject({
    message: expect.stringContaining("printed more than 100000 bytes"),
  });
  watching.abort();
  await watched;
  const first = sizes.findIndex((size) => size > limits.maxOutputBytes);
  const shrank = sizes.slice(first).some((size, index, all) => size < (all[index - 1] ?? 0));
  expect(shrank).toBe(true);
});

it("says which program does not exist", async () => {
  const missing = { ...options(""), program: "/nonexistent/tofu" };
  await expect(runCommand(missing, never)).rejects.toMatchObject({
    code: "run-failed",
    message: expect.stringContaining("cannot run /nonexistent/tofu"),
  });
});

it("says how to mend a program that its user may not execute", async () => {
  await writeFile(join(directory, "tofu"), "#!/bin/sh\n", { mode: 0o644 });
  const barred = { ...options(""), program: join(directory, "tofu") };
  await expect(runCommand(barred, never)).rejects.toMatchObject({
    code: "run-failed",
    message: expect.stringContaining("may not execute it; check the modes"),
  });
});

it("tells that a program prints nothing, and interrupts it when it still does not", async () => {
  const limits = { graceMs: 60_000, maxRunMs: 60_000, maxQuietMs: 2_000, maxOutputBytes: 100_000 };
  const told: number[] = [];
  const onQuiet = (quietMs: number): void => void told.push(quietMs);
  // A shell waits for its children before it handles a signal.
  const script = "echo one; exec sleep 100";
  await expect(runCommand(options(script, { limits, onQuiet }), never)).rejects.toMatchObject({
    message: expect.stringMatching(/^-c printed nothing for 0 minutes: /),
  });
  expect(told).toHaveLength(1);
  expect(told[0]).toBeGreaterThanOrEqual(1_000);
});

it("tells of each silence, once", async () => {
  let aheadMs = 0;
  const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + aheadMs };
  const limits = { graceMs: 60_000, maxRunMs: 60_000, maxQuietMs: 200_000, maxOutputBytes: 1_000 };
  const go = join(directory, "go");
  const script = `for i in 1 2; do echo $i; until [ -e ${go}-$i ]; do sleep 0.02; done; done`;
  let told = 0;
  const onQuiet = (): void => writeFileSync(`${go}-${(told += 1)}`, "");
  const onLine = (): void => void (aheadMs += 110_000);
  const quiet = options(script, { limits, clock, onLine, onQuiet });
  expect(await runCommand(quiet, never)).toEqual({ code: 0 });
  expect(told).toBe(2);
});

it("lets a program go on that prints now and then", async () => {
  const limits = { graceMs: 60_000, maxRunMs: 60_000, maxQuietMs: 5_000, maxOutputBytes: 100_000 };
  const script = "for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.8; done";
  expect(await runCommand(options(script, { limits }), never)).toEqual({ code: 0 });
});
