import type { Organization } from "@slipway/api/organizations/organization";

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
