import type { BuildParameter, BuildReason, Transition } from "@slipway/api";

import type { NewRows } from "../../platform/db/insert-rows.ts";

export interface InsertBuild {
  readonly workspaceId: string;
  /** The user that the build is for. */
  readonly ownerId: string;
  readonly number: number;
  readonly transition: Transition;
  readonly versionId: string;
  readonly presetId: string | undefined;
  readonly initiatorId: string;
  readonly jobId: string;
  readonly reason: BuildReason;
  /** Null while the build has not ended, and for a workspace without a time to live. */
  readonly deadline: string | null;
}

/** Returns the rows of a build with its parameter values. */
export function buildRows(
  id: string,
  input: InsertBuild,
  parameters: readonly BuildParameter[],
): readonly NewRows[] {
  const build = {
    id,
    workspace_id: input.workspaceId,
    owner_id: input.ownerId,
    build_number: input.number,
    transition: input.transition,
    template_version_id: input.versionId,
    template_version_preset_id: input.presetId ?? null,
    initiator_id: input.initiatorId,
    job_id: input.jobId,
    reason: input.reason,
    deadline: input.deadline,
  };
  const values = parameters.map(({ name, value }) => ({ workspace_build_id: id, name, value }));
  return [
    { table: "workspace_builds", rows: [build] },
    { table: "workspace_build_parameters", rows: values },
  ];
}
