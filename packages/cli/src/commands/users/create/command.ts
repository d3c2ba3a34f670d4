import { defineCommand } from "../../../command/definition.ts";
import { outputFlag } from "../../../command/flags.ts";

export const command = defineCommand({
  summary: "create a user",
  description:
    "Create a user. On a terminal, slipway prompts for missing values. Without --password, a password is " +
    "generated and shown once.",
  arguments: {},
  flags: {
    username: { kind: "text", short: "u", value: "name", summary: "username" },
    email: { kind: "text", short: "e", value: "address", summary: "email address" },
    fullName: { kind: "text", short: "n", value: "text", summary: "full name" },
    password: { kind: "text", short: "p", value: "text", summary: "password" },
    loginType: {
      kind: "choice",
      choices: ["password", "none"],
      summary: "none: no login, only tokens created by an owner",
    },
    output: outputFlag,
  },
  examples: [
    {
      line: "slipway users create -u ada -e ada@example.com",
      summary: "with a generated password",
    },
  ],
});
