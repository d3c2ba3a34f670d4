import { deleteExternalAuth } from "@slipway/api/external-auth/routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { ignoredYesFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { providerArgument } from "../../resources/accounts/external-auth.ts";

export const command = defineCommand({
  summary: "log out of an external auth provider",
  description:
    "Delete your tokens of a provider, and have the provider revoke them if it can. Your workspaces get no more tokens.",
  arguments: { provider: providerArgument },
  flags: { yes: ignoredYesFlag },
  examples: [
    { line: "slipway external-auth logout github", summary: "delete and revoke the tokens" },
  ],
});

export async function run(
  { provider }: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const params = { provider };
  const removed = await client.call(deleteExternalAuth, { params, signal });
  const { err } = terminal;
  err.line(err.colors.green(`logged out of ${provider}`));
  if (removed.token_revocation_error !== undefined && removed.token_revocation_error !== "") {
    err.line(err.colors.yellow(`the token was not revoked: ${removed.token_revocation_error}`));
  } else if (!removed.token_revoked) {
    err.line("the provider does not revoke tokens: revoke it in the settings of your account");
  }
  return exitCodes.ok;
}
