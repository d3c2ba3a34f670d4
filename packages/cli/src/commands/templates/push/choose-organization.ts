import { listUserOrganizations, type Organization } from "@slipway/api";
import type { ApiClient } from "@slipway/sdk/http";

import { CommandError } from "../../../command/errors.ts";
import { notFoundError } from "../../../command/not-found.ts";

/** Returns the organization that templates go to: the named one, or the user's default one, otherwise the first. */
export async function chooseOrganization(
  client: ApiClient,
  name: string,
  signal: AbortSignal,
): Promise<Organization> {
  const organizations = await client.call(listUserOrganizations, {
    params: { user: "me" },
    signal,
  });
  if (name !== "default") {
    const named = organizations.find((one) => one.name === name || one.id === name);
    if (named === undefined) throw notFoundError(`organization ${name}`);
    return named;
  }
  const found = organizations.find(({ is_default }) => is_default) ?? organizations[0];
  if (found === undefined)
    throw new CommandError("you are not a member of any organization to push the template to");
  return found;
}
