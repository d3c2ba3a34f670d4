import type { AgentLog } from "@slipway/api/agents/log-routes";
import type { JobLog, LogLevel } from "@slipway/api/jobs/job";

/** A row of a log: a line, or the headline of the stage whose lines follow. */
export type LogRow =
  | {
      readonly kind: "line";
      readonly id: number;
      readonly at: string;
      readonly level: LogLevel;
      readonly text: string;
      /** The part that wrote it, if there are several. */
      readonly source: string | undefined;
    }
  | {
      readonly kind: "stage";
      readonly id: number;
      readonly name: string;
      /** The time until the next stage or the end; undefined while it runs. */
      readonly tookMs: number | undefined;
    };

/**
 * Returns the rows of a job's log, in which an entry without output begins a stage (docs/protocol/clients.md §2.6).
 * `endedAt` is the end of the job, if it has ended.
 */
export function jobLogRows(
  entries: readonly JobLog[],
  endedAt: string | undefined,
): readonly LogRow[] {
  const rows: LogRow[] = [];
  let stage = "";
  for (const [index, entry] of entries.entries()) {
    const { id, created_at: at, log_level: level, output } = entry;
    if (entry.stage !== stage && entry.stage !== "") {
      const next = entries.slice(index).find((one) => one.stage !== entry.stage);
      const end = next?.created_at ?? endedAt;
      const tookMs = end === undefined ? undefined : Date.parse(end) - Date.parse(at);
      // The line of the same entry follows, so the headline takes the place before it.
      rows.push({ kind: "stage", id: id - 0.5, name: entry.stage, tookMs });
    }
    stage = entry.stage;
    if (output !== "") {
      rows.push({ kind: "line", id, at, level, text: withoutEnd(output), source: undefined });
    }
  }
  return rows;
}

/** Returns the rows of an agent's log; `sources` are the names of its scripts by the ids of their sources. */
export function agentLogRows(
  entries: readonly AgentLog[],
  sources: ReadonlyMap<string, string>,
): readonly LogRow[] {
  return entries.map(({ id, created_at: at, level, output, source_id: source }) => ({
    kind: "line",
    id,
    at,
    level,
    text: withoutEnd(output),
    source: sources.get(source),
  }));
}

/** Returns a log as the text of a file. */
export function logText(rows: readonly LogRow[]): string {
  const lines = rows.map((row) =>
    row.kind === "stage"
      ? `==> ${row.name}`
      : [row.at, row.source, row.level, row.text].filter((part) => part !== undefined).join(" "),
  );
  return `${lines.join("\n")}\n`;
}

/** Removes the line ending that some programs leave on a line. */
function withoutEnd(text: string): string {
  let end = text.length;
  while (end > 0 && "\r\n".includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}
