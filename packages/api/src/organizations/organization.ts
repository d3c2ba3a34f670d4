import { Type } from "typebox";

import { type Infer, Timestamp, Uuid, oneOf } from "../contract/scalars.ts";
import { Role } from "../users/user.ts";

export const Organization = Type.Object({
  id: Uuid,
  name: Type.String(),
  display_name: Type.String(),
  description: Type.String(),
  icon: Type.String(),
  created_at: Timestamp,
  updated_at: Timestamp,
  is_default: Type.Boolean(),
  default_org_member_roles: Type.Array(Type.String()),
});
export type Organization = Infer<typeof Organization>;

/** A user as a member of an organization (docs/protocol/clients.md §2.1). */
export const OrganizationMember = Type.Object({
  user_id: Uuid,
  organization_id: Uuid,
  created_at: Timestamp,
  updated_at: Timestamp,
  /** Roles in the organization. */
  roles: Type.Array(Role),
  username: Type.String(),
  name: Type.String(),
  email: Type.String(),
  status: oneOf("active", "dormant", "suspended"),
  login_type: oneOf("", "password", "github", "oidc", "token", "none"),
  last_seen_at: Timestamp,
  user_created_at: Timestamp,
  user_updated_at: Timestamp,
  global_roles: Type.Array(Role),
  has_ai_seat: Type.Boolean(),
});
export type OrganizationMember = Infer<typeof OrganizationMember>;
