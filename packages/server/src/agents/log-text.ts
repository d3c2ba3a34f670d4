import type { AgentLog } from "@slipway/api";

/** Lines as `format=text` shows them: time to the second, level, agent and source (`rest.md` section 6.2). */
export function logText(
  logs: readonly AgentLog[],
  agentName: string,
  sourceNames: ReadonlyMap<string, string>,
): string {
  return logs
    .map((log) => {
      const source = sourceNames.get(log.source_id) ?? "";
      const from = source === "" ? "" : ` [agent.${agentName}|${source}]`;
      return `${log.created_at.slice(0, 19)}Z [${log.level}]${from} ${log.output}\n`;
    })
    .join("");
}
