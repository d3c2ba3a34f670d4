import { Type } from "typebox";

import { type Infer, oneOf, Timestamp, Uuid } from "../contract/scalars.ts";

export const AppHealth = oneOf("disabled", "initializing", "healthy", "unhealthy");
export type AppHealth = Infer<typeof AppHealth>;
export const SharingLevel = oneOf("owner", "authenticated", "organization", "public");
export type SharingLevel = Infer<typeof SharingLevel>;

export const OpenIn = oneOf("slim-window", "tab");
export type OpenIn = Infer<typeof OpenIn>;

/** The last status that an application reported. */
export const AppStatus = Type.Object({
  id: Uuid,
  created_at: Timestamp,
  workspace_id: Uuid,
  agent_id: Uuid,
  app_id: Uuid,
  state: oneOf("working", "idle", "complete", "failure"),
  message: Type.String(),
  uri: Type.String(),
  needs_user_attention: Type.Boolean(),
  icon: Type.String(),
});

/** An application of a workspace (docs/protocol/rest.md §6.1). Intervals are in seconds. */
export const WorkspaceApp = Type.Object({
  id: Uuid,
  url: Type.Optional(Type.String()),
  external: Type.Boolean(),
  slug: Type.String(),
  display_name: Type.Optional(Type.String()),
  command: Type.Optional(Type.String()),
  icon: Type.Optional(Type.String()),
  subdomain: Type.Boolean(),
  subdomain_name: Type.Optional(Type.String()),
  sharing_level: SharingLevel,
  healthcheck: Type.Object({
    url: Type.String(),
    interval: Type.Integer(),
    threshold: Type.Integer(),
  }),
  health: AppHealth,
  group: Type.Optional(Type.String()),
  hidden: Type.Boolean(),
  open_in: OpenIn,
  tooltip: Type.Optional(Type.String()),
  statuses: Type.Array(AppStatus),
});
export type WorkspaceApp = Infer<typeof WorkspaceApp>;
