import type { Organization } from "@slipway/api/organizations/organization";
import { getOrganization } from "@slipway/api/organizations/routes";
import type { ApiClient } from "@slipway/sdk/http";

import { relativeTime } from "../../terminal/relative-time.ts";
import type { Columns } from "../../terminal/table.ts";

/** Columns of organizations, with the names that `coder` gives them. */
export const organizationColumnNames = [
  "id",
  "name",
  "display name",
  "default",
  "description",
  "icon",
  "created at",
  "updated at",
] as const;

/** Returns the columns of organizations. `now` is in milliseconds since the epoch. */
export function organizationColumns(
  now: number,
): Columns<Organization, (typeof organizationColumnNames)[number]> {
  return {
    id: ({ id }) => id,
    name: ({ name }) => name,
    "display name": ({ display_name }) => display_name,
    default: ({ is_default }) => (is_default ? "yes" : "no"),
    description: ({ description }) => description,
    icon: ({ icon }) => icon,
    "created at": ({ created_at }) => relativeTime(Date.parse(created_at), now),
    "updated at": ({ updated_at }) => relativeTime(Date.parse(updated_at), now),
  };
}

/** An item of an organization, such as a template. */
interface OrganizationItem {
  readonly organization_id: string;
  readonly organization_name: string;
}

/**
 * Returns the items of an organization, given by its name or id; all items for `default`. Throws the server's error
 * for an unknown or invisible organization, rather than returning an empty list.
 */
export async function withinOrganization<T extends OrganizationItem>(
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
