import type { RoleName } from "@slipway/api/users/user";

import type { SourceTemplate, SourceUser, SourceVersion, SourceWorkspace } from "./read-source.ts";

/**
 * What an import does with an item: `create` it, `complete` one that an interrupted import began, or nothing, because it is
 * `present`, is in `conflict` with another one, is `waiting` for something else, or is `skipped` for good.
 */
export type PlannedOutcome = "create" | "complete" | "present" | "conflict" | "waiting" | "skipped";

export interface Planned {
  readonly name: string;
  readonly outcome: PlannedOutcome;
  /** The reasons, and what is different afterward. */
  readonly notes: readonly string[];
}

export interface PlannedUser extends Planned {
  readonly user: SourceUser;
  /** The roles that exist here. */
  readonly roles: readonly RoleName[];
}

export interface PlannedVersion extends Planned {
  readonly version: SourceVersion;
}

export interface PlannedTemplate extends Planned {
  readonly template: SourceTemplate;
  readonly versions: readonly PlannedVersion[];
}

export interface PlannedWorkspace extends Planned {
  readonly workspace: SourceWorkspace;
}

export interface ImportPlan {
  readonly users: readonly PlannedUser[];
  readonly templates: readonly PlannedTemplate[];
  readonly workspaces: readonly PlannedWorkspace[];
}

/** Reports whether what belongs to an item can come over, because the item does or has. */
export function hasComeOver({ outcome }: Planned): boolean {
  return outcome === "create" || outcome === "complete" || outcome === "present";
}
