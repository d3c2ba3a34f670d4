import { defineCommand } from "../../../command/definition.ts";
import { outputFlag } from "../../../command/flags.ts";

export const command = defineCommand({
  name: "tokens create",
  summary: "create an API token, which is shown once",
  arguments: {},
  flags: {
    name: { kind: "text", short: "n", value: "name", summary: "name, in the place of one made up" },
    lifetime: {
      kind: "text",
      value: "duration",
      summary: "how long it lives, such as 8h, 30d or 1y (default: 7d)",
    },
    scope: {
      kind: "list",
      value: "scope",
      summary: "what it may do, such as workspace:read; everything unless given; repeatable",
    },
    allow: {
      kind: "list",
      value: "type:id",
      summary:
        "what it may do that to, such as workspace:<uuid>; everything unless given; repeatable",
    },
    user: {
      kind: "text",
      short: "u",
      value: "user",
      completes: "user",
      summary: "for another user, as an owner",
    },
    output: outputFlag,
  },
  examples: [
    { line: "slipway tokens create --name ci --lifetime 30d", summary: "prints the token" },
  ],
});
