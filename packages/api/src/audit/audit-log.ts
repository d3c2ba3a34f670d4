import { Type } from "typebox";

import { type Infer, nullable, oneOf, Timestamp, Uuid } from "../contract/scalars.ts";
import { User } from "../users/user.ts";

export const auditActions = [
  "create",
  "write",
  "delete",
  "start",
  "stop",
  "login",
  "logout",
  "register",
  // A secret was read.
  "open",
  // A tool of the MCP server was used.
  "call",
  // A user let a program act for them, or refused to.
  "authorize",
  "deny",
] as const;
export const AuditAction = oneOf(...auditActions);
export type AuditAction = Infer<typeof AuditAction>;

export const auditResourceTypes = [
  "workspace",
  "workspace_build",
  "template",
  "template_version",
  "user",
  "api_key",
  "git_ssh_key",
  "external_auth_link",
  "prebuilds_settings",
  "notifications_settings",
  "appearance",
  "workspace_agent",
  "file",
  // A program that acts for users who authorized it (OAuth 2).
  "oauth2_provider_app",
  "provisioner_key",
] as const;
export const AuditResourceType = oneOf(...auditResourceTypes);
export type AuditResourceType = Infer<typeof AuditResourceType>;

const AuditChange = Type.Object({
  old: Type.Unknown(),
  new: Type.Unknown(),
  /** True for a secret, whose values are left out. */
  secret: Type.Boolean(),
});

/** One entry of the audit trail: an action, its actor, its target and its time. */
export const AuditLog = Type.Object({
  id: Uuid,
  request_id: Uuid,
  time: Timestamp,
  ip: Type.String(),
  user_agent: Type.String(),
  resource_type: AuditResourceType,
  resource_id: Uuid,
  /** The name of the resource. */
  resource_target: Type.String(),
  resource_icon: Type.String(),
  action: AuditAction,
  /** The changes by field: the value before and the value after. */
  diff: Type.Record(Type.String(), AuditChange),
  status_code: Type.Integer(),
  additional_fields: Type.Record(Type.String(), Type.Unknown()),
  description: Type.String(),
  resource_link: Type.String(),
  is_deleted: Type.Boolean(),
  organization_id: Uuid,
  organization: Type.Optional(
    Type.Object({
      id: Uuid,
      name: Type.String(),
      display_name: Type.String(),
      icon: Type.String(),
    }),
  ),
  user: nullable(User),
});
export type AuditLog = Infer<typeof AuditLog>;

/** `count` stops counting at `count_cap`. */
export const AuditLogsResponse = Type.Object({
  audit_logs: Type.Array(AuditLog),
  count: Type.Integer(),
  count_cap: Type.Integer(),
});
export type AuditLogsResponse = Infer<typeof AuditLogsResponse>;
