import type { SharingLevel } from "@slipway/api";

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
