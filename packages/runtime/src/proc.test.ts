import { existsSync, readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { parseProcStat, parseProcStatus } from "./proc.ts";

const rest = "-1 4194560 1 0 0 0 30 12 0 0 20 0 1 0 4242 2760704 300\n";

describe("parseProcStat", () => {
  it("reads a process whose name holds parentheses and blanks", () => {
    expect(parseProcStat(`4711 (a) Z 1 (b) S 17 4000 4000 0 ${rest}`)).toEqual({
      isZombie: false,
      hasMemory: true,
      parentPid: 17,
      groupId: 4000,
      usedTicks: 42,
      start: "4242",
    });
  });

  it.each(["Z", "X"])("recognizes a zombie by its state %s", (state) => {
    expect(parseProcStat(`4711 (sh) ${state} 17 4000 4000 0 ${rest}`)?.isZombie).toBe(true);
  });

  it("tells a thread of the kernel by its memory", () => {
    const thread = "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 1 0 0 20 0 1 0 5 0 0\n";
    expect(parseProcStat(thread)).toMatchObject({ hasMemory: false, start: "5" });
  });

  it.each(["", "4711 (sh) S 17"])("finds nothing in %j", (text) => {
    expect(parseProcStat(text)).toBeUndefined();
  });

  it.runIf(existsSync("/proc/self/stat"))("reads this process", () => {
    const stat = parseProcStat(readFileSync("/proc/self/stat", "utf8"));
    expect(stat).toMatchObject({ isZombie: false, hasMemory: true, parentPid: process.ppid });
  });
});

describe("parseProcStatus", () => {
  it("finds the first number of a field", () => {
    const status = "Name:\tUid: 1\nUid:\t7000\t0\t0\t0\nVmRSS:\t    1234 kB\n";
    expect(parseProcStatus(status, "Uid")).toBe(7000);
    expect(parseProcStatus(status, "VmRSS")).toBe(1234);
    expect(parseProcStatus(status, "VmHWM")).toBeUndefined();
  });
});
