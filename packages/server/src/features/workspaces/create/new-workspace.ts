import type { BuildParameter } from "@slipway/api/builds/build";

import type { UserCaller } from "../../../platform/http/caller.ts";
import type { AuditEntry } from "../../audit/service.ts";
import type { WorkspaceSettings } from "../queries.ts";

/** The request for a new workspace. */
export interface NewWorkspace {
  readonly ownerId: string;
  readonly name: string;
  readonly templateId: string | undefined;
  readonly versionId: string | undefined;
  readonly presetId: string | undefined;
  readonly parameters: readonly BuildParameter[];
  readonly settings: WorkspaceSettings;
}

/** A workspace that a transaction created or claimed. */
export interface CreatedWorkspace {
  readonly id: string;
  /** True if its build is queued for a worker. */
  readonly isQueued: boolean;
}

interface AuditedWorkspace {
  readonly id: string;
  readonly organizationId: string;
  readonly name: string;
}

/** Returns the audit entry of a new workspace; a claim adds its build to `fields`. */
export function creationEntry(
  caller: UserCaller,
  workspace: AuditedWorkspace,
  fields: Readonly<Record<string, string>>,
): AuditEntry {
  return {
    by: caller,
    organizationId: workspace.organizationId,
    action: "create",
    resourceType: "workspace",
    resourceId: workspace.id,
    target: workspace.name,
    diff: {},
    fields,
  };
}
