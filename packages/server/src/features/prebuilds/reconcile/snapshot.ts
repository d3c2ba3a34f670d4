import type { PrebuildStatus, Transition } from "@slipway/api";

/** The pool of one preset and what is in it, as one look at the database found it. Times are milliseconds since the epoch. */
export interface PoolSnapshot {
  readonly pool: Pool;
  /** Every workspace that is in the pool, oldest first. */
  readonly prebuilds: readonly Prebuild[];
}

export interface Pool {
  readonly presetId: string;
  /** Its version is the active one of a template that is there, and not deprecated. */
  readonly isActive: boolean;
  readonly desiredInstances: number;
  /** Empty: no windows. */
  readonly schedulingTimezone: string;
  readonly windows: readonly { readonly cron: string; readonly instances: number }[];
  /** After how long a prebuild is replaced; undefined: never. */
  readonly expireAfterMs: number | undefined;
  /** What was built before is replaced. */
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
    /** Whether it is of the version that the preset belongs to. */
    readonly isOfVersion: boolean;
  };
  /** All its root agents are ready, so that it can be claimed. */
  readonly isReady: boolean;
}
