import type { Template } from "@slipway/api";

import type { ClientNeeds } from "../../command/client-needs.ts";
import { findVersion } from "../../resources/templates/find-template.ts";

/** Finds the id of the template's version by name; without a name, that of the active one. */
export async function chooseVersion(
  template: Pick<Template, "id" | "name" | "active_version_id">,
  name: string | undefined,
  { client, signal }: Pick<ClientNeeds, "client" | "signal">,
): Promise<string> {
  if (name === undefined) return template.active_version_id;
  return (await findVersion(client, template, name, signal)).id;
}
