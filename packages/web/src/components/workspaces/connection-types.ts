import type { ConnectionType } from "@slipway/api/agents/connection-log-routes";

export const connectionTypeNames: Readonly<Record<ConnectionType, string>> = {
  ssh: "SSH",
  vscode: "VS Code",
  jetbrains: "JetBrains",
  reconnecting_pty: "Terminal",
};
