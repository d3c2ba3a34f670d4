import { listTokens } from "@slipway/api/users/key-routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printList } from "../../command/print-result.ts";
import { tokenColumnFlag, tokenColumns } from "../../resources/accounts/tokens.ts";

export const command = defineCommand({
  summary: "list API tokens",
  aliases: ["ls"],
  arguments: {},
  flags: {
    all: { kind: "switch", short: "a", summary: "include other users' tokens (owners only)" },
    includeExpired: { kind: "switch", summary: "include expired tokens" },
    column: tokenColumnFlag,
    output: outputFlag,
  },
  examples: [{ line: "slipway tokens list", summary: "name, owner, last use and expiry" }],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const query = {
    include_all: String(options.all),
    include_expired: String(options.includeExpired),
  };
  const params = { user: "me" };
  // Other servers send null for none.
  const tokens = (await connect(settings).call(listTokens, { params, query, signal })) ?? [];
  const columns = tokenColumns(clock.now());
  const none = "no tokens; create one with: slipway tokens create";
  return printList(terminal, tokens, options, { columns, none });
}
