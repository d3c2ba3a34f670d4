import type { Organization } from "@slipway/api/organizations/organization";
import { getOrganization, listUserOrganizations } from "@slipway/api/organizations/routes";
import type { ApiClient } from "@slipway/sdk/http";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { columnFlag, outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printList } from "../../command/print-result.ts";
import {
  organizationColumnNames,
  organizationColumns,
} from "../../resources/accounts/organizations.ts";

export const command = defineCommand({
  summary: "show an organization",
  arguments: {
    organization: {
      summary: "name or id; selected for the current one, me for all of yours (default: selected)",
      required: false,
      completion: ["selected", "me"],
    },
  },
  flags: {
    onlyId: { kind: "switch", summary: "print only the id, for scripts" },
    column: columnFlag(organizationColumnNames, ["id", "name", "default"]),
    output: outputFlag,
  },
  examples: [
    { line: "slipway organizations show --only-id", summary: "the id of the current organization" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const found = await read(connect(settings), options.organization ?? "selected", signal);
  if (options.onlyId) {
    for (const { id } of found) terminal.out.line(id);
    return exitCodes.ok;
  }
  const columns = organizationColumns(clock.now());
  return printList(terminal, found, options, {
    columns,
    none: "you are not a member of any organization",
  });
}

async function read(
  client: ApiClient,
  reference: string,
  signal: AbortSignal,
): Promise<readonly Organization[]> {
  if (reference === "me")
    return client.call(listUserOrganizations, { params: { user: "me" }, signal });
  const organization = reference === "selected" ? "default" : reference;
  return [await client.call(getOrganization, { params: { organization }, signal })];
}
