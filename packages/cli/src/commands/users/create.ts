import { nameProblem } from "@slipway/api/contract/name";
import { createUser } from "@slipway/api/users/routes";
import { shellWord } from "@slipway/runtime";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printJson } from "../../command/print-result.ts";
import { generatePassword } from "../../resources/accounts/passwords.ts";
import { askFullName } from "../../resources/accounts/users.ts";

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
      choices: ["password", "oidc", "github", "none"],
      summary: "oidc, github: login at a provider; none: only tokens created by an owner",
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

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const ask = (message: string, flag: string, problem?: (text: string) => string | undefined) => {
    if (terminal.interactive) return terminal.prompts.text({ message, problem });
    throw new UsageError(
      `not a terminal: pass ${flag}`,
      `for example: slipway users create ${flag} …`,
    );
  };
  const username = options.username ?? (await ask("Username", "--username", nameProblem));
  const email = options.email ?? (await ask("Email address", "--email"));
  const isAsked = options.username === undefined || options.email === undefined;
  const name = options.fullName ?? (isAsked ? await askFullName(terminal.prompts) : "");
  const isGenerated = options.loginType === "password" && options.password === undefined;
  const password = isGenerated ? generatePassword() : (options.password ?? "");
  const user = await client.call(createUser, {
    body: {
      username,
      email,
      password,
      login_type: options.loginType,
      ...(name === "" ? {} : { name }),
    },
    signal,
  });
  const { err, out } = terminal;
  if (options.output === "json") printJson(out, user);
  err.line(err.colors.green(`created user ${user.username}`));
  if (isGenerated) err.line(`password, shown only once: ${password}`);
  if (user.login_type === "password") err.line(`log in with: slipway login ${client.serverUrl}`);
  else err.line(`create a token with: slipway tokens create --user ${shellWord(user.username)}`);
  return exitCodes.ok;
}
