import { expect, it } from "vitest";

import { readSelection, selectLines } from "./line-selection.ts";
import type { LogLine } from "./log-line.ts";

const now = Date.parse("2026-01-01T12:00:00Z");

function line(id: number, created_at: string): LogLine {
  const entry = { id, created_at, output: String(id), level: "info" as const, source_id: "s" };
  return { kind: "agent", agent: "main", source: "main", entry };
}

const lines = [
  line(1, "2026-01-01T10:00:00Z"),
  line(2, "2026-01-01T11:00:00.000001Z"),
  line(3, "2026-01-01T11:30:00Z"),
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
  const selected = selectLines(lines, readSelection(options, now));
  expect(selected.map(({ entry }) => entry.id)).toEqual(ids);
});

it.each([
  [{ since: "soon", tail: undefined }, '--since "soon" is not a duration'],
  [{ since: "2026-13-45", tail: undefined }, '--since "2026-13-45" is not a time'],
  [{ since: undefined, tail: -1 }, '--tail "-1" is not a number of lines'],
])("refuses %j", (options, message) => {
  expect(() => readSelection(options, now)).toThrow(message);
});
