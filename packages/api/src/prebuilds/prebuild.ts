/** The id of the system user who owns prebuilds (docs/protocol/prebuilds.md §1.1). */
export const prebuildsUserId = "c42fdf75-3097-471c-8c33-fb52454d81c0";
/** The username of that user, which tells an agent that its workspace is not claimed yet. */
export const prebuildsUsername = "prebuilds";

/** The outcome of the last reconciliations of a preset's pool. */
export type PrebuildStatus = "healthy" | "hard_limited" | "validation_failed";
