import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { type Infer, nullable, oneOf, Timestamp, Uuid } from "../contract/scalars.ts";

/** The settings that can be changed at run time (docs/protocol/prebuilds.md §2.7). */
export const PrebuildsSettings = Type.Object({ reconciliation_paused: Type.Boolean() });
export type PrebuildsSettings = Infer<typeof PrebuildsSettings>;

/** The presets whose unclaimed prebuilds are replaced. */
export const InvalidatedPresets = Type.Object({
  invalidated: Type.Array(
    Type.Object({
      template_name: Type.String(),
      template_version_name: Type.String(),
      preset_name: Type.String(),
    }),
  ),
});
export type InvalidatedPresets = Infer<typeof InvalidatedPresets>;

/** The state of a pool: healthy, or the reason why it is not filled. */
export const PoolStatus = oneOf(
  "healthy",
  "hard_limited",
  "validation_failed",
  "backed_off",
  "paused",
);
export type PoolStatus = Infer<typeof PoolStatus>;

/** The current prebuilds of one preset. Counts are of workspaces of this version, unless noted. */
export const PrebuildPool = Type.Object({
  organization_id: Uuid,
  organization_name: Type.String(),
  template_id: Uuid,
  template_name: Type.String(),
  template_version_id: Uuid,
  template_version_name: Type.String(),
  preset_id: Uuid,
  preset_name: Type.String(),
  /** True if this version is the active one; otherwise the pool is emptied. */
  active: Type.Boolean(),
  desired: Type.Integer(),
  running: Type.Integer(),
  /** The number that are running and ready, so that they can be claimed. */
  eligible: Type.Integer(),
  starting: Type.Integer(),
  /** The number of claims so far, over all versions of the template that have the preset. */
  claimed: Type.Integer(),
  status: PoolStatus,
  /** The time until which no prebuild is created after failures; null without a backoff. */
  backoff_until: nullable(Timestamp),
});
export type PrebuildPool = Infer<typeof PrebuildPool>;

/** A claim with the times that are recorded of it; null until an agent has come that far. */
export const PrebuildClaim = Type.Object({
  workspace_id: Uuid,
  workspace_name: Type.String(),
  workspace_deleted: Type.Boolean(),
  owner_name: Type.String(),
  template_name: Type.String(),
  preset_name: Type.String(),
  /** The time at which the prebuild was created, to wait for its owner. */
  created_at: Timestamp,
  claimed_at: Timestamp,
  /** The times at which its agents were told of the claim and confirmed it: the last of them. */
  reinit_sent_at: nullable(Timestamp),
  reinit_received_at: nullable(Timestamp),
  /** The time at which the last of its agents was ready for the new owner. */
  ready_at: nullable(Timestamp),
});
export type PrebuildClaim = Infer<typeof PrebuildClaim>;

export const getPrebuildsSettings = defineRoute({
  method: "GET",
  path: "/prebuilds/settings",
  summary: "Get the prebuild settings",
  response: PrebuildsSettings,
});

export const updatePrebuildsSettings = defineRoute({
  method: "PUT",
  path: "/prebuilds/settings",
  summary: "Pause or resume the reconciliation of prebuild pools",
  body: PrebuildsSettings,
  mayBeUnchanged: true,
  response: PrebuildsSettings,
});

export const listPrebuildPools = defineRoute({
  method: "GET",
  path: "/prebuilds/pools",
  summary: "List prebuild pools and their state",
  response: Type.Array(PrebuildPool),
});

export const listPrebuildClaims = defineRoute({
  method: "GET",
  path: "/prebuilds/claims",
  summary: "List the latest claims of prebuilds with their times, newest first",
  response: Type.Array(PrebuildClaim),
});

export const invalidatePrebuilds = defineRoute({
  method: "POST",
  path: "/templates/:template/prebuilds/invalidate",
  summary: "Replace the unclaimed prebuilds of a template's active version",
  scopes: ["template:update"],
  params: Type.Object({ template: Type.String() }),
  response: InvalidatedPresets,
});

export const agentReinit = defineRoute({
  method: "GET",
  path: "/workspaceagents/me/reinit",
  summary: "Wait until a prebuilt workspace is claimed",
  caller: "agent",
  kind: "event-stream",
  query: Type.Object({ wait: Type.Optional(Type.String()) }),
  response: Type.Object({
    workspace_id: Uuid,
    reason: oneOf("prebuild_claimed"),
    owner_id: Uuid,
  }),
});
