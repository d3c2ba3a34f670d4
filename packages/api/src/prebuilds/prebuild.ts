/** Id of the system user who owns prebuilds (docs/protocol/prebuilds.md §1.1). */
export const prebuildsUserId = "c42fdf75-3097-471c-8c33-fb52454d81c0";
/** His username, by which an agent knows that nobody has claimed its workspace yet. */
export const prebuildsUsername = "prebuilds";

/** The outcome of the last reconciliations of a preset's pool. */
export type PrebuildStatus = "healthy" | "hard_limited" | "validation_failed";
