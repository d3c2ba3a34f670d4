import { defineCommand } from "../../../command/definition.ts";
import { outputFlag } from "../../../command/flags.ts";

export const command = defineCommand({
  name: "users create",
  summary: "create a user",
  description:
    "What is not given is asked for on a terminal; a password that is not given is made up and shown once.",
  arguments: {},
  flags: {
    username: { kind: "text", short: "u", value: "name", summary: "name to log in and address by" },
    email: { kind: "text", short: "e", value: "address", summary: "email address" },
    fullName: { kind: "text", short: "n", value: "text", summary: "name for people" },
    password: { kind: "text", short: "p", value: "text", summary: "password" },
    loginType: {
      kind: "choice",
      choices: ["password", "none"],
      summary: "none: no log-in, only tokens that an owner makes",
    },
    output: outputFlag,
  },
  examples: [
    {
      line: "slipway users create -u ada -e ada@example.com",
      summary: "with a password that is made up",
    },
  ],
});
