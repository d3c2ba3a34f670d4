import { randomUUID } from "node:crypto";

import type { BuildParameter } from "@slipway/api";
import type { Driver } from "@slipway/drivers";
import type { Transaction } from "kysely";

import type { SecretBox } from "../../platform/auth/secret-box.ts";
import type { Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import type { NewRows } from "../../platform/db/insert-rows.ts";
import { HttpError } from "../../platform/http/errors.ts";
import { createJob, doneJob } from "../../platform/jobs/service.ts";
import { asBuildable, findPool, type requireVersion } from "../templates/version-service.ts";
import { claimStage } from "./build-job.ts";
import { selectClaimed } from "./claim-queries.ts";
import { doneBuildRows, insertBuild, insertParameters } from "./insert-queries.ts";
import { requireRenderable } from "./require-renderable.ts";
import { type BuildSubject, localWorker, type NewBuild, resolveStart } from "./service.ts";
import { takeOver } from "./take-over.ts";

export interface ClaimNeeds {
  readonly secrets: SecretBox;
  readonly drivers: ReadonlyMap<string, Driver>;
}

/** The facts that a claim needs before it takes anything. */
export interface PreparedClaim {
  readonly version: Awaited<ReturnType<typeof asBuildable>>;
  readonly presetId: string;
  readonly presetName: string;
  readonly parameters: readonly BuildParameter[];
}

/**
 * Finds a pool from which a workspace of this version can be claimed: that of the named preset, or of the preset that
 * the values match. Undefined when there is no such pool; throws the 400 of invalid values.
 *
 * The values are chosen as for a first build, because that is what it is to its owner.
 */
export async function prepareClaim(
  db: Queryable,
  found: Awaited<ReturnType<typeof requireVersion>>,
  request: Pick<NewBuild, "presetId" | "parameters">,
): Promise<PreparedClaim | undefined> {
  const version = await asBuildable(db, found);
  const pool = await findPool(db, version, request.presetId, request.parameters);
  if (pool === undefined) return undefined;
  const parameters = resolveStart(version.definition, {
    given: request.parameters,
    preset: pool.preset.name,
    previous: undefined,
  });
  return { version, presetId: pool.id, presetName: pool.preset.name, parameters };
}

/** A claim's build, as far as it is recorded. */
export interface ClaimBuild {
  readonly id: string;
  readonly isQueued: boolean;
  /** The remaining rows, for the caller to insert in the same transaction. */
  readonly rows: readonly NewRows[];
}

/**
 * Builds a workspace for the user who became its owner in the same transaction, while it was running (docs/claims.md).
 * With a driver that has nothing to do, the build completes with the transaction; otherwise it is queued.
 */
export async function buildClaim(
  trx: Transaction<DB>,
  { secrets, drivers }: ClaimNeeds,
  workspace: BuildSubject,
  { version, presetId, parameters }: PreparedClaim,
  initiator: NewBuild["initiator"],
): Promise<ClaimBuild> {
  const last = await selectClaimed(trx, workspace.id);
  if (last?.transition !== "start" || last.build_owner_id === workspace.ownerId) {
    throw new Error(`workspace ${workspace.id} does not run for another owner`);
  }
  const { definition, name } = version;
  const context = { ...last, definition, template_version_name: name };
  requireRenderable(context, parameters);
  refuseTurnedOff(drivers.get(definition.driver));
  const job = {
    type: "workspace_build",
    organizationId: workspace.organizationId,
    initiatorId: initiator.id,
    fileId: version.file_id,
    workspaceId: workspace.id,
    ...localWorker(definition, last.worker_id),
  } as const;
  const build = {
    workspaceId: workspace.id,
    ownerId: workspace.ownerId,
    number: last.build_number + 1,
    transition: "start",
    versionId: version.id,
    presetId,
    initiatorId: initiator.id,
    reason: "initiator",
  } as const;
  if (drivers.get(definition.driver)?.claim !== undefined) {
    const id = await insertBuild(trx, { ...build, jobId: await createJob(trx, job) });
    await insertParameters(trx, id, parameters);
    return { id, isQueued: true, rows: [] };
  }
  const id = randomUUID();
  const jobId = randomUUID();
  const made = { context: { ...context, id, job_id: jobId }, parameters };
  const predecessor = { buildId: last.build_id, resources: last.resources };
  const agents = await takeOver(trx, secrets, made, predecessor);
  const { worker_id: workerId, deadline } = last;
  const line = "the workspace was running already and waited for its owner";
  const rows = [
    ...doneJob(jobId, job, { workerId, stage: claimStage, line }),
    ...doneBuildRows(id, { ...build, jobId, deadline }, parameters),
    ...agents,
  ];
  return { id, isQueued: false, rows };
}

/** Refuses a prebuild whose driver was disabled: it still runs, but is not handed out. */
function refuseTurnedOff(driver: Driver | undefined): void {
  if (driver?.refusal === undefined) return;
  throw new HttpError(400, `The driver "${driver.name}" ${driver.refusal}.`);
}
