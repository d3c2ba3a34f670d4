import type { JobLog } from "@slipway/api/jobs/job";
import { expect, it } from "vitest";

import { agentLogRows, jobLogRows, logText } from "./log-row.ts";

const at = (second: number): string => `2026-11-30T12:00:0${second}Z`;

function entry(id: number, stage: string, output: string): JobLog {
  return {
    id,
    created_at: at(id),
    log_source: "provisioner",
    log_level: output === "broken" ? "error" : "info",
    stage,
    output,
  };
}

it("begins each stage with a headline and the time that it took", () => {
  const entries = [entry(1, "Plan", ""), entry(2, "Plan", "one\r\n"), entry(4, "Apply", "broken")];
  expect(jobLogRows(entries, at(9))).toEqual([
    { kind: "stage", id: 0.5, name: "Plan", tookMs: 3000 },
    { kind: "line", id: 2, at: at(2), level: "info", text: "one", source: undefined },
    { kind: "stage", id: 3.5, name: "Apply", tookMs: 5000 },
    { kind: "line", id: 4, at: at(4), level: "error", text: "broken", source: undefined },
  ]);
});

it("leaves the time of a running stage open", () => {
  expect(jobLogRows([entry(1, "Plan", "")], undefined)).toMatchObject([{ tookMs: undefined }]);
});

it("names the sources of an agent's lines, and writes them to a file", () => {
  const line = {
    id: 1,
    created_at: at(1),
    output: "hello",
    level: "warn",
    source_id: "a",
  } as const;
  const rows = agentLogRows(
    [line, { ...line, id: 2, source_id: "b" }],
    new Map([["a", "Prepare"]]),
  );
  expect(rows.map((row) => row.kind === "line" && row.source)).toEqual(["Prepare", undefined]);
  expect(logText(rows)).toBe(`${at(1)} Prepare warn hello\n${at(1)} warn hello\n`);
});
