import { type User, zeroTimestamp } from "@slipway/api";

import type { UserRow } from "./queries.ts";

const displayNames: Readonly<Record<string, string>> = {
  owner: "Owner",
  "template-admin": "Template Admin",
  "user-admin": "User Admin",
  auditor: "Auditor",
};

/** The user as clients see it. */
export function userJson(row: UserRow): User {
  return {
    id: row.id,
    username: row.username,
    name: row.name,
    email: row.email,
    created_at: row.created_at,
    updated_at: row.updated_at,
    last_seen_at: row.last_seen_at ?? zeroTimestamp,
    status: row.status,
    login_type: row.login_type,
    organization_ids: row.organization_ids,
    roles: row.roles.map((name) => ({ name, display_name: displayNames[name] ?? name })),
    has_ai_seat: false,
  };
}
