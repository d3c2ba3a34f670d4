import { defineCommand } from "../../../command/definition.ts";
import { outputFlag } from "../../../command/flags.ts";

export const command = defineCommand({
  summary: "create an API token, shown only once",
  arguments: {},
  flags: {
    name: {
      kind: "text",
      short: "n",
      value: "name",
      summary: "name of the token (default: a generated name)",
    },
    lifetime: {
      kind: "text",
      value: "duration",
      summary: "lifetime, such as 8h, 30d or 1y (default: 7d)",
    },
    scope: {
      kind: "list",
      value: "scope",
      summary: "scope, such as workspace:read; repeatable (default: everything)",
    },
    allow: {
      kind: "list",
      value: "type:id",
      summary: "resource to allow, such as workspace:<uuid>; repeatable (default: everything)",
    },
    user: {
      kind: "text",
      short: "u",
      value: "user",
      completes: "user",
      summary: "create it for another user (owners only)",
    },
    output: outputFlag,
  },
  examples: [
    {
      line: "slipway tokens create --name ci --lifetime 30d",
      summary: "print a token that is valid for 30 days",
    },
  ],
});
