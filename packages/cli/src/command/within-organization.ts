import { getOrganization } from "@slipway/api/organizations/routes";
import type { ApiClient } from "@slipway/sdk/http";

/** What belongs to an organization. */
interface Belonging {
  readonly organization_id: string;
  readonly organization_name: string;
}

/**
 * Returns what belongs to an organization, by its name or id; everything unless one is named. Throws the server's error for
 * one that does not exist or that the user may not see, rather than pass for an empty one.
 */
export async function withinOrganization<T extends Belonging>(
  items: readonly T[],
  organization: string,
  { client, signal }: { readonly client: ApiClient; readonly signal: AbortSignal },
): Promise<readonly T[]> {
  if (organization === "default") return items;
  const wanted = organization.toLowerCase();
  const found = items.filter(({ organization_id, organization_name }) =>
    [organization_id, organization_name.toLowerCase()].includes(wanted),
  );
  if (found.length === 0) await client.call(getOrganization, { params: { organization }, signal });
  return found;
}
