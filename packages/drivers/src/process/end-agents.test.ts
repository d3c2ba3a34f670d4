import { createFakeClock } from "@slipway/testkit";
import { afterEach, expect, it, vi } from "vitest";

import { endAgents } from "./end-agents.ts";
import type { RunningProcess } from "./running-process.ts";

const { signal } = new AbortController();

/** A process that no signal ends; its id is larger than any of the system. */
const undying: RunningProcess = {
  pid: 2 ** 22 + 1,
  parentPid: 1,
  groupId: 2 ** 22 + 1,
  start: "1",
  startedAtMs: 0,
  uid: 0,
  marks: { agentId: "agent", directory: "/workspace", tokenHash: "hash" },
};

afterEach(() => vi.restoreAllMocks());

it("tells every five seconds of an agent that stops slowly, and gives up what it cannot kill", async () => {
  const clock = createFakeClock(0);
  const reports: string[] = [];
  const ended = endAgents(
    {
      table: { list: async () => [undying], find: async () => undying },
      records: [],
      selects: { marks: () => true, uids: new Set() },
      timeoutMs: 12_000,
      report: (line) => void reports.push(`${Math.round(clock.now() / 1_000)}: ${line}`),
      clock,
    },
    signal,
  ).catch((error: unknown) => error);
  await clock.advance(30_000);
  expect(await ended).toMatchObject({ name: "DriverError", code: "still-running" });
  const { pid } = undying;
  expect(reports).toEqual([
    `5: waiting for process ${pid} to stop, 5 s so far`,
    `10: waiting for process ${pid} to stop, 10 s so far`,
    `12: process ${pid} did not stop within 12 s: killing it`,
  ]);
});

it("asks, then kills, and only then gives up, however long listing the processes takes", async () => {
  const clock = createFakeClock(0);
  const sent: unknown[] = [];
  vi.spyOn(process, "kill").mockImplementation((_pid, name) => {
    sent.push(name);
    return true;
  });
  const list = async (): Promise<RunningProcess[]> => {
    await clock.sleep(10_000, signal);
    return sent.includes("SIGKILL") ? [] : [undying];
  };
  const ended = endAgents(
    {
      table: { list, find: async () => undefined },
      records: [],
      selects: { marks: () => true, uids: new Set() },
      timeoutMs: 0,
      report: () => undefined,
      clock,
    },
    signal,
  ).catch((error: unknown) => error);
  await clock.advance(60_000);
  expect(await ended).toBeUndefined();
  // The agent is asked to stop by itself, then to end with everything that it left.
  expect(sent).toEqual(["SIGTERM", "SIGTERM", "SIGKILL"]);
});
