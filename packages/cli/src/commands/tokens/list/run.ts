import { listTokens } from "@slipway/api";

import { connect } from "../../../command/connect.ts";
import type { OptionsOf } from "../../../command/definition.ts";
import { exitCodes } from "../../../command/exit-codes.ts";
import type { Needs } from "../../../command/needs.ts";
import { printJson } from "../../../command/print-json.ts";
import { relativeTime } from "../../../terminal/relative-time.ts";
import { renderTable } from "../../../terminal/table.ts";
import type { command } from "./command.ts";

export async function run(
  { all, includeExpired, output }: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const query = { include_all: String(all), include_expired: String(includeExpired) };
  const params = { user: "me" };
  // Other servers send null for none.
  const tokens = (await connect(settings).call(listTokens, { params, query, signal })) ?? [];
  if (output === "json") {
    printJson(terminal.out, tokens);
    return exitCodes.ok;
  }
  if (tokens.length === 0) {
    terminal.err.line("no tokens; make one with: slipway tokens create");
    return exitCodes.ok;
  }
  const now = clock.now();
  const when = (time: string): string =>
    Date.parse(time) <= 0 ? "never" : relativeTime(Date.parse(time), now);
  const rows = tokens.map((token) => [
    token.id,
    token.token_name,
    token.username,
    token.scopes.join(", "),
    when(token.last_used),
    when(token.expires_at),
    when(token.created_at),
  ]);
  const headings = ["ID", "NAME", "OWNER", "SCOPES", "LAST USED", "ENDS", "CREATED"];
  for (const line of renderTable(headings, rows, terminal.out.colors)) terminal.out.line(line);
  return exitCodes.ok;
}
