import { randomUUID } from "node:crypto";

import { expect, it } from "vitest";

import { parseRun, parseRunList } from "./parse-runs.ts";

const run = {
  id: randomUUID(),
  instance_id: randomUUID(),
  command: "ls",
  workdir: "/home/ann",
  user: "ann",
  tty: false,
  status: "exited",
  started_at: "2026-01-01T00:00:00Z",
  exited_at: null,
  exit_code: 0,
  signal: null,
  timed_out: false,
  last_seq: 1,
  first_seq: 0,
  truncated_bytes: 0,
  stdin: "none",
  stdin_seq: 0,
};

it("passes on a run without the fields that it does not know", () => {
  expect(parseRun({ ...run, more: "of it" })).toEqual(run);
});

it("refuses a run of the wrong form", () => {
  // Ids are stored in the audit trail, which takes no NUL.
  const ids = ["\0", `${run.id}\0`, "x".repeat(100_000), 1];
  const wrong = [
    ...ids.flatMap((id) => [{ id }, { instance_id: id }]),
    { command: null },
    { status: "lost" },
    { tty: 1 },
    { last_seq: -1 },
    { exit_code: 0.5 },
    { stdin: "none\n" },
  ];
  for (const part of wrong) {
    expect(() => parseRun({ ...run, ...part }), JSON.stringify(part)).toThrow("malformed");
  }
  for (const one of [null, "run", []]) expect(() => parseRun(one)).toThrow("malformed");
});

it("refuses a list of an unknown instance, and one of too many runs", () => {
  const runs = Array.from({ length: 10_001 }, () => run);
  expect(() => parseRunList({ instance_id: "\0", runs: [] })).toThrow("malformed");
  expect(() => parseRunList({ instance_id: run.instance_id, runs })).toThrow("malformed");
  const list = { instance_id: run.instance_id, runs: [run] };
  expect(parseRunList(list)).toEqual(list);
});
