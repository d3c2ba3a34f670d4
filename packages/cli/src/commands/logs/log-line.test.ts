import type { AgentLog, JobLog } from "@slipway/api";
import { expect, it } from "vitest";

import { noColors } from "../../terminal/colors.ts";
import { byTime, jsonOf, type LogLine, textOf } from "./log-line.ts";

function jobLine(id: number, second: number, stage: string, output: string): LogLine {
  const created_at = `2026-01-01T00:00:0${second}.5Z`;
  const entry: JobLog = {
    id,
    created_at,
    log_source: "provisioner",
    log_level: "info",
    stage,
    output,
  };
  return { kind: "build", entry };
}

function agentLine(id: number, second: number, output: string): LogLine {
  const created_at = `2026-01-01T00:00:0${second}.123456Z`;
  const entry: AgentLog = { id, created_at, output, level: "info", source_id: "s" };
  return { kind: "agent", agent: "main", source: "main/Prepare", entry };
}

it("merges logs by time and keeps the order within one", () => {
  const lines = [
    jobLine(1, 1, "A", ""),
    jobLine(2, 3, "A", "late"),
    agentLine(1, 2, "x"),
    agentLine(2, 2, "y"),
  ];
  expect(byTime(lines).flatMap((line) => textOf(line, noColors))).toEqual([
    "[build] A",
    "[main/Prepare] x",
    "[main/Prepare] y",
    "[build] late",
  ]);
});

it("prints each line of an entry with its source, so that none passes for another's", () => {
  expect(textOf(agentLine(1, 2, "one\r\n[build] two\n"), noColors)).toEqual([
    "[main/Prepare] one",
    "[main/Prepare] [build] two",
  ]);
});

it("prints entries as JSON with their source", () => {
  const line = agentLine(7, 1, "x");
  expect(JSON.parse(jsonOf(line))).toEqual({
    source: "main/Prepare",
    agent: "main",
    ...line.entry,
  });
  const build = jobLine(7, 1, "A", "x");
  expect(JSON.parse(jsonOf(build))).toEqual({ source: "build", ...build.entry });
});
