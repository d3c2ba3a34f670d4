import type { Transition } from "@slipway/api/builds/resource";
import type { PrebuildStatus } from "@slipway/api/prebuilds/prebuild";

/** The pool of one preset and its contents, from one read of the database. Times are milliseconds since the epoch. */
export interface PoolSnapshot {
  readonly pool: Pool;
  /** Every workspace in the pool, oldest first. */
  readonly prebuilds: readonly Prebuild[];
}

export interface Pool {
  readonly presetId: string;
  /** True if its version is the active one of an existing template, and not deprecated. */
  readonly isActive: boolean;
  readonly desiredInstances: number;
  /** Empty: no windows. */
  readonly schedulingTimezone: string;
  readonly windows: readonly { readonly cron: string; readonly instances: number }[];
  /** The age at which a prebuild is replaced, in milliseconds; undefined: never. */
  readonly expireAfterMs: number | undefined;
  /** The time of the last invalidation: older builds are replaced. */
  readonly lastInvalidatedAtMs: number | undefined;
  readonly status: PrebuildStatus;
}

/** A workspace of the system user, with its newest build. */
export interface Prebuild {
  readonly workspaceId: string;
  readonly createdAtMs: number;
  readonly build: {
    readonly transition: Transition;
    readonly status: "pending" | "running" | "succeeded" | "failed" | "canceled";
    readonly createdAtMs: number;
    /** True if it is of the version that the preset belongs to. */
    readonly isOfVersion: boolean;
  };
  /** True if all its root agents are ready, so that it can be claimed. */
  readonly isReady: boolean;
}
