import { defineCommand } from "../../../command/definition.ts";
import { passwordStdinFlag } from "../../../command/flags.ts";
import { userArgument } from "../argument.ts";

export const command = defineCommand({
  name: "users reset-password",
  summary: "change your password, or reset another user's",
  description:
    "Without a user, changes your own password and asks for the current one. Gives another user a generated password, " +
    "shown once, unless --password-stdin is given. Revokes all sessions and tokens of the user.",
  arguments: { user: { ...userArgument, required: false } },
  flags: { passwordStdin: passwordStdinFlag },
  examples: [
    { line: "slipway users reset-password", summary: "change your own" },
    { line: "slipway users reset-password ada", summary: "a generated one for ada" },
    {
      line: "slipway users reset-password --password-stdin < file",
      summary: "your own: the current and the new password on two lines",
    },
  ],
});
