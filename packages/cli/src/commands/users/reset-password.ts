import { getUser, login, updatePassword } from "@slipway/api/users/routes";
import type { User } from "@slipway/api/users/user";
import type { ApiClient } from "@slipway/sdk/http";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { passwordStdinFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import {
  generatePassword,
  readNewPassword,
  readOwnPasswords,
} from "../../resources/accounts/passwords.ts";
import { userArgument } from "../../resources/accounts/users.ts";

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

type PasswordNeeds = Pick<Needs, "terminal" | "settings" | "signal">;
type PasswordOptions = OptionsOf<typeof command>;

export async function run(options: PasswordOptions, needs: PasswordNeeds): Promise<number> {
  const client = connect(needs.settings);
  const { signal } = needs;
  const me = await client.call(getUser, { params: { user: "me" }, signal });
  const reference = options.user ?? "me";
  const user =
    reference === "me" ? me : await client.call(getUser, { params: { user: reference }, signal });
  if (user.id === me.id) await changeOwn(client, me, options, needs);
  else await resetOther(client, user, options, needs);
  return exitCodes.ok;
}

async function changeOwn(
  client: ApiClient,
  me: User,
  { passwordStdin }: PasswordOptions,
  { terminal, settings, signal }: PasswordNeeds,
): Promise<void> {
  if (!terminal.interactive && !passwordStdin) {
    throw new UsageError(
      "not a terminal: pass --password-stdin, with the current and the new password on two lines of stdin",
    );
  }
  const { current, next } = await readOwnPasswords(terminal);
  const body = { old_password: current, password: next };
  await client.call(updatePassword, { params: { user: me.id }, body, signal });
  const { err } = terminal;
  err.line(err.colors.green("password changed; your other sessions and tokens are revoked"));
  if (settings.givenToken !== undefined) {
    err.line(`this command's token is revoked too; log in with: slipway login ${client.serverUrl}`);
    return;
  }
  const credentials = { email: me.email, password: next };
  const { session_token: token } = await client.call(login, { body: credentials, signal });
  await settings.files.write({ url: client.serverUrl, token });
}

async function resetOther(
  client: ApiClient,
  { id, username }: User,
  { passwordStdin }: PasswordOptions,
  { terminal, signal }: PasswordNeeds,
): Promise<void> {
  const password = passwordStdin ? await readNewPassword(terminal) : generatePassword();
  await client.call(updatePassword, { params: { user: id }, body: { password }, signal });
  const { err, out } = terminal;
  err.line(err.colors.green(`password of ${username} reset; all sessions and tokens are revoked`));
  if (passwordStdin) return;
  err.line("new password, shown only once:");
  out.line(password);
}
