import { spawn } from "node:child_process";
import { once } from "node:events";

import { systemClock } from "@slipway/runtime";
import { expect, it, onTestFinished, vi } from "vitest";

import { livingGroups, ProcessGroups } from "./process-groups.ts";

it("tells a group that lives from one that has ended", async () => {
  const child = spawn("sleep", ["1000"], { detached: true, stdio: "ignore" });
  const { pid = 0 } = child;
  expect(livingGroups([pid])).toEqual([pid]);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(livingGroups([pid])).toEqual([]);
});

it("kills no group whose number the system has reused", () => {
  const present = new Set([-101, -102]);
  const kill = vi.spyOn(process, "kill").mockImplementation((pid) => {
    if (!present.has(pid)) throw new Error("ESRCH");
    return true;
  });
  onTestFinished(() => kill.mockRestore());
  const groups = new ProcessGroups(systemClock);
  for (const pid of [101, 102, 103]) groups.started(pid);
  for (const pid of [101, 102]) groups.leaderEnded(pid);
  present.delete(-101);
  groups.leaderEnded(103);
  present.add(-101);
  kill.mockClear();
  groups.killAll();
  expect(kill.mock.calls.filter(([, signal]) => signal !== 0)).toEqual([[-102, "SIGKILL"]]);
});
