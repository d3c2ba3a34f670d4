import type { AgentLog } from "@slipway/api";
import { printableLine, printableText } from "@slipway/runtime";

/**
 * Formats lines as `format=text` shows them: time to the second, level, agent and source (docs/protocol/rest.md §6.2).
 * Terminals show them, with `curl` too, so logged text keeps its colors and no other terminal control sequence.
 */
export function logText(
  logs: readonly AgentLog[],
  agentName: string,
  sourceNames: ReadonlyMap<string, string>,
): string {
  return logs
    .map((log) => {
      const source = sourceNames.get(log.source_id) ?? "";
      const from = source === "" ? "" : ` [agent.${agentName}|${printableLine(source)}]`;
      return `${log.created_at.slice(0, 19)}Z [${log.level}]${from} ${printableText(log.output, { colors: true })}\n`;
    })
    .join("");
}
