import type { SharingLevel } from "@slipway/api/agents/app";

/** The sharing levels, from the one that lets in the fewest users; each includes those before it. */
export const levelOrder = [
  "owner",
  "organization",
  "authenticated",
  "public",
] as const satisfies readonly SharingLevel[];

/** Returns whether a level lets in more users than another one. */
export function isWiderThan(level: SharingLevel, other: SharingLevel): boolean {
  return levelOrder.indexOf(level) > levelOrder.indexOf(other);
}

/** Returns the level that lets in fewer users. */
export function narrowerOf(level: SharingLevel, other: SharingLevel): SharingLevel {
  return isWiderThan(level, other) ? other : level;
}
