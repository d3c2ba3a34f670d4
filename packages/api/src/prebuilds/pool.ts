import { Type } from "typebox";

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
