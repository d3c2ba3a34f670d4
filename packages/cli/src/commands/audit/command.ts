import type { AuditAction, AuditResourceType } from "@slipway/api";

import { defineCommand } from "../../command/definition.ts";
import { columnFlag, outputFlag } from "../../command/flags.ts";

const actions = [
  "create",
  "write",
  "delete",
  "start",
  "stop",
  "login",
  "logout",
  "register",
  "open",
] as const satisfies readonly AuditAction[];

const resources = [
  "workspace",
  "workspace_build",
  "template",
  "template_version",
  "user",
  "api_key",
  "git_ssh_key",
  "prebuilds_settings",
  "workspace_agent",
  "file",
] as const satisfies readonly AuditResourceType[];

export const command = defineCommand({
  name: "audit",
  summary: "show who did what, newest first",
  description:
    "Shows the audit trail, newest first: who did what to what, from where, and with which result. Owners and auditors " +
    "read it. The flags narrow it; --search takes the server's own words for the same, such as date_from:2026-01-31.",
  arguments: {},
  flags: {
    user: {
      kind: "text",
      short: "u",
      value: "username",
      summary: "what this user did",
      completes: "user",
    },
    action: {
      kind: "text",
      value: "action",
      summary: "what was done, such as create, write, delete or login",
      completes: actions,
    },
    resource: {
      kind: "text",
      value: "type",
      summary: "what it was done to, such as workspace, template or user",
      completes: resources,
    },
    target: { kind: "text", value: "name", summary: "what the thing is called" },
    search: { kind: "text", value: "query", summary: "more, in the server's words" },
    limit: { kind: "integer", short: "l", value: "count", summary: "most entries (default: 50)" },
    offset: { kind: "integer", value: "count", summary: "newer entries to pass over" },
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
    { line: "slipway audit", summary: "the newest entries" },
    { line: "slipway audit -u ada --action delete", summary: "what ada deleted" },
    {
      line: "slipway audit --search date_from:2026-01-31 -o json",
      summary: "for programs, with all changes",
    },
  ],
});
