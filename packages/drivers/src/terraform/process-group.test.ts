import { spawn } from "node:child_process";
import { once } from "node:events";

import { systemClock } from "@slipway/runtime";
import { expect, it, onTestFinished } from "vitest";

import { procTable } from "../process/proc-table.ts";
import { psTable } from "../process/ps-table.ts";
import { endGroup, killGroup } from "./process-group.ts";

const table = process.platform === "linux" ? procTable() : psTable;
/** The five seconds of a group are a tenth of one. */
const clock = { ...systemClock, monotonic: () => systemClock.monotonic() * 50 };

/** Starts a group of a shell and what it runs; resolves once the script has printed a line. */
async function startGroup(script: string) {
  const child = spawn("/bin/sh", ["-c", script], {
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [line] = await once(child.stdout, "data");
  return { pid: child.pid ?? 0, exited: once(child, "exit"), line: String(line) };
}

it.each([
  ["asks a group to end", "trap 'exit 4' TERM; echo up; while :; do sleep 0.1; done", [4, null]],
  [
    "kills one that does not",
    "trap '' TERM; echo up; while :; do sleep 0.1; done",
    [null, "SIGKILL"],
  ],
])("%s", async (_case, script, end) => {
  const { pid, exited } = await startGroup(script);
  await endGroup(pid, { table, clock });
  expect(await exited).toEqual(end);
});

it("ends what is left of a group whose leader has ended", async () => {
  const { pid, exited, line } = await startGroup("sleep 1000 & echo $!");
  await exited;
  await endGroup(pid, { table, clock });
  expect(await table.find(Number(line))).toBeUndefined();
  await endGroup(pid, { table, clock });
});

it("ends processes that the table misses, as each starts the next one and exits", async () => {
  const next = `sh -c "$NEXT" &`;
  const { pid, exited } = await startGroup(`trap '' TERM; echo up; export NEXT='${next}'; ${next}`);
  onTestFinished(() => killGroup(pid));
  await exited;
  await endGroup(pid, { table: { list: async () => [] }, clock });
  await expect.poll(() => hasProcess(pid)).toBe(false);
});

function hasProcess(groupId: number): boolean {
  try {
    return process.kill(-groupId, 0);
  } catch {
    return false;
  }
}
