import { auditActions, auditResourceTypes } from "@slipway/api";

import { defineCommand } from "../../command/definition.ts";
import { columnFlag, outputFlag } from "../../command/flags.ts";

export const command = defineCommand({
  summary: "show the audit trail, newest first",
  description:
    "Show the audit trail, newest first: who did what to which resource, from which address, and with what " +
    "result. Requires the owner or auditor role. Flags filter the entries; --search takes the server's search " +
    "syntax, such as date_from:2026-01-31.",
  arguments: {},
  flags: {
    user: {
      kind: "text",
      short: "u",
      value: "username",
      summary: "only actions of this user",
      completion: "user",
    },
    action: {
      kind: "text",
      value: "action",
      summary: "only this action, such as create, write, delete or login",
      choices: auditActions,
    },
    resource: {
      kind: "text",
      value: "type",
      summary: "only this resource type, such as workspace, template or user",
      choices: auditResourceTypes,
    },
    target: { kind: "text", value: "name", summary: "only the resource with this name" },
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
        "user",
        "action",
        "resource",
        "target",
        "status",
        "ip",
        "description",
        "id",
        "request id",
      ],
      ["time", "user", "action", "resource", "target", "status", "ip"],
    ),
    output: outputFlag,
  },
  examples: [
    { line: "slipway audit", summary: "newest entries" },
    { line: "slipway audit -u ada --action delete", summary: "deletions by ada" },
    {
      line: "slipway audit --search date_from:2026-01-31 -o json",
      summary: "JSON, with all changes",
    },
  ],
});
