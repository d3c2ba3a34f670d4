import { getUser } from "@slipway/api/users/routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printJson } from "../../command/print-result.ts";
import {
  findToken,
  tokenArgument,
  tokenColumnFlag,
  tokenColumns,
} from "../../resources/accounts/tokens.ts";
import { renderColumns } from "../../terminal/table.ts";

export const command = defineCommand({
  summary: "show an API token, without its secret",
  arguments: { token: tokenArgument },
  flags: { column: tokenColumnFlag, output: outputFlag },
  examples: [{ line: "slipway tokens view ci", summary: "its scopes and expiry" }],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const token = await findToken(client, options.token, signal);
  const { out } = terminal;
  if (options.output === "json") {
    printJson(out, token);
    return exitCodes.ok;
  }
  const { username } = await client.call(getUser, { params: { user: token.user_id }, signal });
  const shown = [{ ...token, username }];
  const columns = tokenColumns(clock.now());
  for (const line of renderColumns(columns, options.column, shown, out)) out.line(line);
  return exitCodes.ok;
}
