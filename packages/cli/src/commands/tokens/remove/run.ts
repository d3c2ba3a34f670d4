import { deleteKey, expireKey } from "@slipway/api";

import { connect } from "../../../command/connect.ts";
import type { OptionsOf } from "../../../command/definition.ts";
import { exitCodes } from "../../../command/exit-codes.ts";
import type { Needs } from "../../../command/needs.ts";
import { findToken } from "../../../resources/tokens/find-token.ts";
import type { command } from "./command.ts";

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
