import { listOrganizations } from "@slipway/api";

import { connect } from "../../../command/connect.ts";
import type { OptionsOf } from "../../../command/definition.ts";
import type { Needs } from "../../../command/needs.ts";
import { printList } from "../../../command/print-list.ts";
import { organizationColumns } from "../../../resources/organizations/columns.ts";
import type { command } from "./command.ts";

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const organizations = await connect(settings).call(listOrganizations, { signal });
  const columns = organizationColumns(clock.now());
  return printList(terminal, organizations, options, { columns, none: "no organizations" });
}
