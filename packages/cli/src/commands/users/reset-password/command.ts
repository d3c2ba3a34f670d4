import { defineCommand } from "../../../command/definition.ts";
import { passwordStdinFlag } from "../../../command/flags.ts";
import { userArgument } from "../../../resources/users/argument.ts";

export const command = defineCommand({
  summary: "change your password, or reset another user's",
  description:
    "Change your own password, after asking for the current one. Another user gets a generated password, shown " +
    "once, unless --password-stdin is given. All sessions and tokens of the user are revoked.",
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
