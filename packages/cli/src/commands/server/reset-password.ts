import { defineCommand, type OptionsOf, variablesOf } from "../../command/definition.ts";
import { passwordStdinFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { readNewPassword } from "../../resources/accounts/passwords.ts";
import { command as server } from "../server.ts";
import { loadServer } from "./load-server.ts";

const { dataDir, postgresUrl } = server.flags;

export const command = defineCommand({
  summary: "reset a password on the server's machine, without logging in",
  description:
    "Reset a password in the server's database, whether or not the server is running. The new password is " +
    "generated and printed, unless --password-stdin is given. All sessions and tokens of the user are revoked. A user " +
    "who logged in at a login provider logs in with the password from then on, such as when the provider is gone.",
  arguments: {
    user: { summary: "username or email (default: the first owner)", required: false },
  },
  flags: { passwordStdin: passwordStdinFlag, dataDir, postgresUrl },
  examples: [
    { line: "slipway server reset-password", summary: "a new password for the administrator" },
    {
      line: "slipway server reset-password ada --password-stdin < file",
      summary: "the password on the first line of a file",
    },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, environment, signal }: Pick<Needs, "terminal" | "environment" | "signal">,
): Promise<number> {
  const { runResetPassword } = await loadServer();
  return runResetPassword({
    flags: variablesOf(command, options),
    environment,
    user: options.user,
    password: options.passwordStdin ? await readNewPassword(terminal) : undefined,
    stdout: (text) => terminal.out.write(text),
    stderr: (text) => terminal.err.write(text),
    signal,
  });
}
