import { connectionStatuses, connectionTypes } from "@slipway/api";

import { defineCommand } from "../../command/definition.ts";
import { columnFlag, outputFlag } from "../../command/flags.ts";

export const command = defineCommand({
  summary: "show connections to workspaces, newest first",
  description:
    "Show connections to workspaces, newest first, each with its agent, type, user, address, duration and result. The " +
    "address is the one from which the server saw the user connect. Requires the owner or auditor role. Flags filter the " +
    "entries; --search takes the server's search syntax, such as username:ada or connected_after:2026-01-31.",
  arguments: {
    name: {
      summary: "name, owner/name or id of a workspace (default: all workspaces)",
      required: false,
      completion: "workspace",
    },
  },
  flags: {
    user: {
      kind: "text",
      short: "u",
      value: "username",
      summary: "only workspaces of this user",
      completion: "user",
    },
    workspace: {
      kind: "text",
      short: "w",
      value: "name",
      summary: "only workspaces of this name, deleted ones too",
    },
    type: {
      kind: "text",
      value: "type",
      summary: "only this type: ssh, vscode, jetbrains or reconnecting_pty",
      choices: connectionTypes,
    },
    status: {
      kind: "text",
      value: "status",
      summary: "only ongoing or completed connections",
      choices: connectionStatuses,
    },
    search: { kind: "text", value: "query", summary: "filter in the server's search syntax" },
    limit: {
      kind: "integer",
      short: "l",
      value: "count",
      summary: "maximum number of entries (default: 50)",
    },
    offset: { kind: "integer", value: "count", summary: "number of newer entries to skip" },
    column: columnFlag(
      [
        "time",
        "owner",
        "workspace",
        "agent",
        "type",
        "user",
        "address",
        "duration",
        "exit code",
        "reason",
        "id",
      ],
      ["time", "owner", "workspace", "agent", "type", "user", "address", "duration", "exit code"],
    ),
    output: outputFlag,
  },
  examples: [
    { line: "slipway connections", summary: "newest connections" },
    { line: "slipway connections demo", summary: "those to your workspace demo" },
    {
      line: "slipway connections -u ada --status ongoing",
      summary: "open ones to ada's workspaces",
    },
    { line: "slipway connections --search connected_after:2026-01-31 -o json", summary: "JSON" },
  ],
});
