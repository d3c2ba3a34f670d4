import { getUser } from "@slipway/api";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printJson } from "../../command/print-json.ts";
import { renderPairs } from "../../terminal/table.ts";

export const command = defineCommand({
  summary: "show the logged-in user and the server",
  arguments: {},
  flags: { output: outputFlag },
  examples: [{ line: "slipway whoami", summary: "name, email, roles and server" }],
});

export async function run(
  { output }: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const user = await client.call(getUser, { params: { user: "me" }, signal });
  if (output === "json") {
    printJson(terminal.out, user);
    return exitCodes.ok;
  }
  const roles = user.roles.map(({ name, display_name }) => display_name || name);
  const pairs = [
    ["User", user.username],
    ["Email", user.email],
    ["Roles", roles.join(", ") || "Member"],
    ["Server", client.serverUrl],
  ] as const;
  for (const line of renderPairs(pairs, terminal.out)) terminal.out.line(line);
  return exitCodes.ok;
}
