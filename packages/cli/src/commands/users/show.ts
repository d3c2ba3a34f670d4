import { zeroTimestamp } from "@slipway/api/contract/scalars";
import { getOrganization } from "@slipway/api/organizations/routes";
import { getUser } from "@slipway/api/users/routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printJson } from "../../command/print-result.ts";
import { rolesCell, userArgument } from "../../resources/accounts/users.ts";
import { relativeTime } from "../../terminal/relative-time.ts";
import { renderPairs } from "../../terminal/table.ts";

export const command = defineCommand({
  summary: "show a user",
  arguments: { user: userArgument },
  flags: { output: outputFlag },
  examples: [{ line: "slipway users show ada", summary: "email, roles and status" }],
});

export async function run(
  { user: reference, output }: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const user = await client.call(getUser, { params: { user: reference }, signal });
  if (output === "json") {
    printJson(terminal.out, user);
    return exitCodes.ok;
  }
  const organizations = await Promise.all(
    user.organization_ids.map((organization) =>
      client.call(getOrganization, { params: { organization }, signal }),
    ),
  );
  const now = clock.now();
  const seen = user.last_seen_at;
  const pairs = [
    ["User", user.username],
    ["Name", user.name || "-"],
    ["Email", user.email],
    ["Id", user.id],
    ["Roles", rolesCell(user)],
    ["Status", user.status],
    ["Login type", user.login_type],
    ["Organizations", organizations.map(({ name }) => name).join(", ")],
    ["Created", relativeTime(Date.parse(user.created_at), now)],
    ["Last seen", seen === zeroTimestamp ? "never" : relativeTime(Date.parse(seen), now)],
  ] as const;
  for (const line of renderPairs(pairs, terminal.out)) terminal.out.line(line);
  return exitCodes.ok;
}
