import { listUserOrganizations, type Organization } from "@slipway/api";
import type { ApiClient } from "@slipway/sdk/http";

import { CommandError } from "../../../command/errors.ts";

/** Returns the organization that templates go to: the user's default one, otherwise the first. */
export async function chooseOrganization(
  client: ApiClient,
  signal: AbortSignal,
): Promise<Organization> {
  const organizations = await client.call(listUserOrganizations, {
    params: { user: "me" },
    signal,
  });
  const found = organizations.find(({ is_default }) => is_default) ?? organizations[0];
  if (found === undefined)
    throw new CommandError("you are not a member of any organization to push the template to");
  return found;
}
