import { type User, zeroTimestamp } from "@slipway/api";

import { roleJson } from "../../platform/auth/role-json.ts";
import type { UserRow } from "./queries.ts";

/** Returns the user as clients see it. */
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
    roles: row.roles.map(roleJson),
    has_ai_seat: false,
  };
}
