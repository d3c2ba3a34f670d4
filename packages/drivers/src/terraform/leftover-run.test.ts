import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "@slipway/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { ProcessTable, RunningProcess } from "../process/running-process.ts";
import {
  hashOf,
  noteKept,
  recordProcess,
  type RunFiles,
  runFiles,
  settleLeftover,
} from "./leftover-run.ts";
import { defaultRunLimits } from "./terraform-options.ts";

let directory = "";
let files: RunFiles;
let kept: Uint8Array[] = [];
let lines: string[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-leftover-"));
  files = runFiles(directory);
  await mkdir(join(directory, "files"));
  kept = [];
  lines = [];
});
afterEach(() => rm(directory, { recursive: true }));

const nothingRuns: ProcessTable = { list: async () => [], find: async () => undefined };

function stateOf(serial: number, ...names: string[]): Uint8Array {
  const resources = names.map((name) => ({ mode: "managed", type: "box", name }));
  return Buffer.from(JSON.stringify({ version: 4, lineage: "one", serial, resources }));
}

function settle(state: Uint8Array | undefined, table = nothingRuns) {
  const build = {
    readState: async () => state,
    keepState: async (one: Uint8Array) => void kept.push(one),
    hold: () => Promise.reject(new Error("nothing runs")),
  };
  return settleLeftover(
    files,
    build,
    { table, clock: systemClock, limits: defaultRunLimits },
    { write: (level, _stage, line) => void lines.push(`${level} ${line}`) },
    new AbortController().signal,
  );
}

describe("the state that an interrupted run left", () => {
  it("is kept if it follows the state that the run began with, or has kept", async () => {
    const [first, second, third] = [stateOf(1), stateOf(2, "a"), stateOf(3, "a", "b")];
    await noteKept(files, undefined);
    await noteKept(files, first);
    await noteKept(files, second);
    await writeFile(files.statePath, third);
    for (const begun of [undefined, first, second]) expect(await settle(begun)).toEqual(third);
    expect(kept).toEqual([third, third, third]);
    expect(lines).toEqual([]);
    // If this server is killed too, the next one recognizes the state.
    expect(await readFile(files.keptPath, "utf8")).toContain(hashOf(third));
  });

  it("waits for no other process that has the number of the program by now", async () => {
    const first: RunningProcess = {
      pid: 7,
      parentPid: 1,
      groupId: 7,
      start: "first",
      startedAtMs: 0,
      uid: 0,
      marks: undefined,
    };
    const tableOf = (found: RunningProcess): ProcessTable => ({
      list: async () => [found],
      find: async () => found,
    });
    await recordProcess(files, { pid: 7, isGuarded: true }, tableOf(first));
    const state = stateOf(1);
    expect(await settle(state, tableOf({ ...first, start: "second" }))).toBe(state);
  });

  it("is not used if another server has changed the workspace since, which the log tells", async () => {
    await noteKept(files, stateOf(1));
    await writeFile(files.statePath, stateOf(9, "a", "b"));
    const other = stateOf(2, "a");
    expect(await settle(other)).toBe(other);
    expect(kept).toEqual([]);
    expect(lines).toEqual([expect.stringMatching(/^warn .*does not name: box\.b\. Remove/)]);
  });

  it("is not used if it is older, cut off, a link, or absent", async () => {
    const newest = stateOf(5);
    await noteKept(files, newest);
    expect(await settle(newest)).toBe(newest);
    await writeFile(files.statePath, stateOf(4));
    expect(await settle(newest)).toBe(newest);
    await writeFile(files.statePath, stateOf(6).subarray(0, -1));
    expect(await settle(newest)).toBe(newest);
    await rm(files.statePath);
    await writeFile(join(directory, "elsewhere"), stateOf(6));
    await symlink(join(directory, "elsewhere"), files.statePath);
    expect(await settle(newest)).toBe(newest);
    expect(kept).toEqual([]);
  });
});
