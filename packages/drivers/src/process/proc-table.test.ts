import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openFiles } from "@slipway/testkit/open-files";
import { expect, it, onTestFinished } from "vitest";

import { parseMarks, parseProcess, procTable } from "./proc-table.ts";
import { hashToken } from "./running-process.ts";

const rest = "-1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 2760704 300";

const status = "Name:\ta\nUid:\t7000\t0\t0\t0\nGid:\t1\t1\t1\t1\n";

it("reads a process whose name holds brackets and blanks", () => {
  const stat = `4711 (a) S 1 (b) S 17 4000 4000 0 ${rest}`;
  expect(parseProcess({ stat, status }, undefined, 1_000_000)).toEqual({
    pid: 4711,
    parentPid: 17,
    groupId: 4000,
    start: "4242",
    startedAtMs: 1_042_420,
    uid: 7000,
    marks: undefined,
  });
});

it.for([
  ["a zombie", `4711 (sh) Z 17 4000 4000 0 ${rest}`],
  ["one that ended meanwhile", ""],
  ["a line cut short", "4711 (sh) S 17"],
] as const)("leaves out %s", ([, line]) => {
  expect(parseProcess({ stat: line, status }, undefined, 0)).toBeUndefined();
});

it("finds the marks in an environment", () => {
  const environment =
    "HOME=/h\0CODER_AGENT_TOKEN=secret\0SLIPWAY_PROCESS=id\0SLIPWAY_PROCESS_DIR=/d\0";
  expect(parseMarks(environment)).toEqual({
    agentId: "id",
    directory: "/d",
    tokenHash: hashToken("secret"),
  });
});

it.for(["", "HOME=/h\0", "SLIPWAY_PROCESS=id\0", "X=SLIPWAY_PROCESS=id\0SLIPWAY_PROCESS_DIR=/d\0"])(
  "sees no marks in %j",
  (environment) => {
    expect(parseMarks(environment)).toBeUndefined();
  },
);

it("leaves no file of a process open", async () => {
  const directory = mkdtempSync(join(tmpdir(), "slipway-proc-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, "stat"), "btime 1000\n");
  mkdirSync(join(directory, "4711"));
  writeFileSync(join(directory, "4711/stat"), `4711 (a) S 17 4000 4000 0 ${rest}`);
  writeFileSync(join(directory, "4711/status"), status);
  writeFileSync(join(directory, "4711/environ"), "");
  expect(await procTable(directory).list()).toMatchObject([{ pid: 4711, startedAtMs: 1_042_420 }]);
  expect(openFiles().filter((path) => path.startsWith(directory))).toEqual([]);
});
