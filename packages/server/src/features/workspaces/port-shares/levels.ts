import type { SharingLevel } from "@slipway/api/agents/app";

/** The place of each sharing level, from the one that lets in the fewest users; each includes those before it. */
const places = {
  owner: 0,
  organization: 1,
  authenticated: 2,
  public: 3,
} as const satisfies Readonly<Record<SharingLevel, number>>;

/** The sharing levels in that order. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of this object, written in their order
export const levelOrder = Object.keys(places) as readonly SharingLevel[];

/** Returns whether a level lets in more users than another one. */
export function isWiderThan(level: SharingLevel, other: SharingLevel): boolean {
  return places[level] > places[other];
}

/** Returns the level that lets in fewer users. */
export function narrowerOf(level: SharingLevel, other: SharingLevel): SharingLevel {
  return isWiderThan(level, other) ? other : level;
}
