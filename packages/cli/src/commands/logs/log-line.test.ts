import type { AgentLog } from "@slipway/api/agents/log-routes";
import type { JobLog } from "@slipway/api/jobs/job";
import { expect, it } from "vitest";

import { noColors } from "../../terminal/colors.ts";
import { byTime, jsonOf, type LogLine, readSelection, selectLines, textOf } from "./log-line.ts";

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

const now = Date.parse("2026-01-01T12:00:00Z");

function timedLine(id: number, created_at: string): LogLine {
  const entry = { id, created_at, output: String(id), level: "info" as const, source_id: "s" };
  return { kind: "agent", agent: "main", source: "main", entry };
}

const timedLines = [
  timedLine(1, "2026-01-01T10:00:00Z"),
  timedLine(2, "2026-01-01T11:00:00.000001Z"),
  timedLine(3, "2026-01-01T11:30:00Z"),
];

it.each([
  [{ since: undefined, tail: undefined }, [1, 2, 3]],
  [{ since: "1h", tail: undefined }, [2, 3]],
  [{ since: "2026-01-01T11:15:00Z", tail: undefined }, [3]],
  [{ since: "2026-01-01", tail: undefined }, [1, 2, 3]],
  [{ since: undefined, tail: 1 }, [3]],
  [{ since: undefined, tail: 0 }, []],
  [{ since: undefined, tail: 9 }, [1, 2, 3]],
  [{ since: "1h", tail: 1 }, [3]],
])("selects by %j the lines %j", (options, ids) => {
  const selected = selectLines(timedLines, readSelection(options, now));
  expect(selected.map(({ entry }) => entry.id)).toEqual(ids);
});

it.each([
  [{ since: "soon", tail: undefined }, '--since "soon" is not a duration'],
  [{ since: "2026-13-45", tail: undefined }, '--since "2026-13-45" is not a time'],
  [{ since: undefined, tail: -1 }, '--tail "-1" is not a number of lines'],
])("refuses %j", (options, message) => {
  expect(() => readSelection(options, now)).toThrow(message);
});
