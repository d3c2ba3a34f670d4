import type { Rows } from "./name-rows.ts";
import type { Names } from "./names.ts";

/** A build of one reconciliation, and the time by which to make it older. */
export interface Tie {
  readonly buildId: string;
  readonly workspaceId: string;
  /** True if the workspace is as new as the build. */
  readonly isFirst: boolean;
  readonly olderMs: number;
}

/**
 * Returns the builds to set apart. The builds of one reconciliation have equal times, and chance decides their order
 * later. They are set a millisecond apart, in the order of their workspaces' names, on which both worlds agree.
 */
export function tiesOf(names: Names, { builds, workspaces }: Rows): readonly Tie[] {
  const numberOf = (workspaceId: string): number => Number(names.name(workspaceId).slice(1));
  const ages = new Map(workspaces.map(({ id, ageMs }) => [id, ageMs]));
  const made = builds
    .filter(({ ageMs }) => ageMs === 0)
    .toSorted((a, b) => numberOf(a.workspaceId) - numberOf(b.workspaceId));
  return made.map(({ id, workspaceId }, index) => ({
    buildId: id,
    workspaceId,
    isFirst: ages.get(workspaceId) === 0,
    olderMs: made.length - 1 - index,
  }));
}
