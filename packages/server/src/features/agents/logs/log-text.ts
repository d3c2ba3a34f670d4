import type { AgentLog } from "@slipway/api/agents/log-routes";
import { printableLine, printableText } from "@slipway/runtime";

/**
 * Formats lines for `format=text`: time to the second, level, agent and source (docs/protocol/rest.md §6.2). Programs
 * such as `curl` print them to terminals, so logged text keeps its colors but no other control sequence.
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
