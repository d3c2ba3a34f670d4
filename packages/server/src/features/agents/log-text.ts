import type { AgentLog } from "@slipway/api";
import { printableLine, printableText } from "@slipway/runtime";

/**
 * Lines as `format=text` shows them: time to the second, level, agent and source (docs/protocol/rest.md §6.2). They are read on
 * terminals, by `curl` too, so what was logged keeps its colours and nothing else that a terminal obeys.
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
