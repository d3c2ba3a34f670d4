import type { ConnectionLog } from "@slipway/api/agents/connection-log-routes";

/** The codes among the reasons that agents and the server record (docs/protocol/agent.md §5.5). */
const reasonTexts: ReadonlyMap<string, string> = new Map([
  ["graceful", ""],
  ["network_error", "Lost: the network failed or the client vanished"],
  ["server_shutdown", "The agent stopped"],
]);

type End = Pick<ConnectionLog["ssh_info"], "disconnect_reason" | "exit_code">;

/** Returns how a connection ended, in words; undefined if it ended as usual or is still open. */
export function connectionEnd({
  disconnect_reason: reason = "",
  exit_code: code = 0,
}: End): string | undefined {
  const text = reasonTexts.get(reason) ?? reason;
  if (text !== "") return text;
  return code === 0 ? undefined : `Exit code ${String(code)}`;
}
