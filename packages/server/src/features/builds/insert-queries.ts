import type { BuildParameter, BuildReason, Transition } from "@slipway/api";

import type { Queryable } from "../../platform/db/database.ts";
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
}

export async function insertBuild(db: Queryable, input: InsertBuild): Promise<string> {
  const row = await db
    .insertInto("workspace_builds")
    .values(buildColumns(input))
    .returning("id")
    .executeTakeFirstOrThrow();
  return row.id;
}

/** Returns the rows of a build that completes with the transaction; `deadline` is the workspace's deadline. */
export function doneBuildRows(
  id: string,
  input: InsertBuild & { readonly deadline: string | null },
  parameters: readonly BuildParameter[],
): readonly NewRows[] {
  const { deadline } = input;
  return [
    { table: "workspace_builds", rows: [{ id, ...buildColumns(input), deadline }] },
    { table: "workspace_build_parameters", rows: parameterRows(id, parameters) },
  ];
}

function buildColumns(input: InsertBuild) {
  return {
    workspace_id: input.workspaceId,
    owner_id: input.ownerId,
    build_number: input.number,
    transition: input.transition,
    template_version_id: input.versionId,
    template_version_preset_id: input.presetId ?? null,
    initiator_id: input.initiatorId,
    job_id: input.jobId,
    reason: input.reason,
  };
}

export async function insertParameters(
  db: Queryable,
  buildId: string,
  parameters: readonly BuildParameter[],
): Promise<void> {
  if (parameters.length === 0) return;
  await db
    .insertInto("workspace_build_parameters")
    .values(parameterRows(buildId, parameters))
    .execute();
}

function parameterRows(buildId: string, parameters: readonly BuildParameter[]) {
  return parameters.map(({ name, value }) => ({ workspace_build_id: buildId, name, value }));
}
