import { deleteKey, expireKey } from "@slipway/api/users/key-routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { findToken, tokenArgument } from "../../resources/accounts/tokens.ts";

export const command = defineCommand({
  summary: "revoke an API token",
  aliases: ["delete", "rm"],
  arguments: { token: tokenArgument },
  flags: {
    delete: { kind: "switch", summary: "also delete it, which frees its name" },
  },
  examples: [{ line: "slipway tokens remove ci", summary: "keep it among the expired tokens" }],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const token = await findToken(client, options.token, signal);
  const params = { user: token.user_id, key: token.id };
  await client.call(options.delete ? deleteKey : expireKey, { params, signal });
  const { err } = terminal;
  const what = options.delete ? "deleted" : "revoked";
  err.line(err.colors.green(`token ${token.token_name || token.id} is ${what}`));
  return exitCodes.ok;
}
