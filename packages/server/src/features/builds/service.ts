import type { BuildParameter, BuildReason, Transition } from "@slipway/api";
import { capabilitiesOf } from "@slipway/drivers";
import { mayFailToRender, resolveParameters, type TemplateDefinition } from "@slipway/template";
import type { Transaction } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import { violatesUnique } from "../../platform/db/errors.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { HttpError, invalidField, invalidFields } from "../../platform/http/errors.ts";
import { createJob } from "../../platform/jobs/service.ts";
import type { AuditActor } from "../audit/service.ts";
import {
  findMatchingPreset,
  readPresets,
  requireBuildable,
  requireImported,
} from "../templates/version-service.ts";
import { selectBuildContext } from "./context-queries.ts";
import { insertBuild, insertParameters } from "./insert-queries.ts";
import { type AuthorizedWorkspace, lockAuthorized } from "./lock-service.ts";
import { selectLastBuild, selectParameters } from "./queries.ts";
import { requireRoomToStart, type WorkspaceLimits } from "./quota-service.ts";
import { prebuildContext, requireRenderable } from "./require-renderable.ts";

/** A workspace as far as a build needs it, as the caller was authorized for it. */
export interface BuildSubject extends AuthorizedWorkspace {
  readonly organizationId: string;
  readonly templateId: string;
}

/** The options of a build. An omitted option keeps its value from the previous build. */
export interface NewBuild {
  readonly transition: Transition;
  readonly versionId: string | undefined;
  readonly presetId: string | undefined;
  readonly parameters: readonly BuildParameter[];
  readonly reason: BuildReason;
  readonly initiator: { readonly id: string } & Pick<AuditActor, "origin">;
  /** The limits for a start; undefined when the caller has checked already. */
  readonly limits: WorkspaceLimits | undefined;
}

/**
 * Queues a build and resolves to its id; throws 409 while another one is active, and what `lockAuthorized` throws. The
 * caller notifies `topics.jobQueue` and the workspace after its commit.
 */
export async function createBuild(
  trx: Transaction<DB>,
  workspace: BuildSubject,
  input: NewBuild,
): Promise<string> {
  const { ownerId } = workspace;
  await lockAuthorized(trx, workspace);
  const last = await selectLastBuild(trx, workspace.id);
  if (last !== undefined && last.completed_at === null) throw alreadyActive();
  if (input.transition === "start" && input.limits !== undefined) {
    const subject = { ownerId, initiatorId: input.initiator.id, workspaceId: workspace.id };
    await requireRoomToStart(trx, input.limits, subject);
  }
  const versionId = input.versionId ?? last?.template_version_id;
  if (versionId === undefined) throw new TypeError("the first build needs a template version");
  const version = await requireBuildable(trx, versionId);
  if (version.template_id !== workspace.templateId) {
    throw invalidField("template_version_id", "belongs to another template than the workspace");
  }
  const previous = last === undefined ? undefined : await selectParameters(trx, last.id);
  // A preset belongs to one version.
  const isSameVersion = versionId === last?.template_version_id;
  const lastPresetId = isSameVersion ? last?.template_version_preset_id : undefined;
  const parameters =
    input.transition === "start"
      ? await chooseParameters(trx, version, {
          given: input.parameters,
          presetId: input.presetId,
          previous,
        })
      : (previous ?? []);
  const jobId = await createJob(trx, {
    type: "workspace_build",
    organizationId: workspace.organizationId,
    initiatorId: input.initiator.id,
    fileId: version.file_id,
    workspaceId: workspace.id,
    ...localWorker(version.definition, last?.worker_id),
  }).catch((error: unknown) => {
    throw violatesUnique(error, "jobs_one_running_per_workspace") ? alreadyActive() : error;
  });
  const buildId = await insertBuild(trx, {
    workspaceId: workspace.id,
    ownerId,
    number: (last?.build_number ?? 0) + 1,
    transition: input.transition,
    versionId,
    // Only a start chooses a preset, and it was looked up above.
    presetId:
      (input.transition === "start" ? input.presetId : undefined) ??
      lastPresetId ??
      (last === undefined ? await findMatchingPreset(trx, version, input.parameters) : undefined),
    initiatorId: input.initiator.id,
    jobId,
    reason: input.reason,
  });
  await insertParameters(trx, buildId, parameters);
  if (input.transition === "start" && mayFailToRender(version.definition)) {
    const context = await selectBuildContext(trx, jobId);
    if (context !== undefined) requireRenderable(context, parameters);
  }
  return buildId;
}

/** Returns the only worker that can build a workspace, if the workspace lives on that worker's machine. */
export function localWorker(
  { driver }: Pick<TemplateDefinition, "driver">,
  lastWorkerId: string | null | undefined,
): { readonly onlyWorkerId?: string } {
  const isBound = capabilitiesOf(driver).isBoundToServer;
  return lastWorkerId && isBound ? { onlyWorkerId: lastWorkerId } : {};
}

/** Throws what a first start of a version with only a preset's values would throw, and changes nothing. */
export async function checkStart(
  db: Queryable,
  { versionId, presetId }: { readonly versionId: string; readonly presetId: string },
): Promise<void> {
  const version = await requireBuildable(db, versionId);
  const sources = { given: [], presetId, previous: undefined };
  const parameters = await chooseParameters(db, version, sources);
  requireRenderable(prebuildContext(version.definition), parameters);
}

/** Returns whether the values of the newest build suffice for a start with another version. */
export async function canStartWith(
  db: Queryable,
  workspaceId: string,
  versionId: string,
): Promise<boolean> {
  const last = await selectLastBuild(db, workspaceId);
  const [version, previous] = await Promise.all([
    requireImported(db, versionId),
    last === undefined ? [] : selectParameters(db, last.id),
  ]);
  return "values" in resolveParameters(version.definition, { given: [], previous });
}

function alreadyActive(): HttpError {
  return new HttpError(409, "A workspace build is already active.", {
    detail: "Wait until it has ended, then try again.",
  });
}

interface ParameterSources {
  readonly given: readonly BuildParameter[];
  readonly presetId: string | undefined;
  readonly previous: readonly BuildParameter[] | undefined;
}

/** Chooses the values of a start; throws the 400. */
async function chooseParameters(
  db: Queryable,
  version: { readonly id: string; readonly definition: TemplateDefinition },
  sources: ParameterSources,
): Promise<readonly BuildParameter[]> {
  const preset = await presetName(db, version, sources.presetId);
  return resolveStart(version.definition, { ...sources, preset });
}

/** Resolves the same values with the name of the preset. */
export function resolveStart(
  definition: TemplateDefinition,
  {
    given,
    preset,
    previous,
  }: Omit<ParameterSources, "presetId"> & { readonly preset: string | undefined },
): readonly BuildParameter[] {
  const resolved = resolveParameters(definition, {
    given,
    ...(preset === undefined ? {} : { preset }),
    ...(previous === undefined ? {} : { previous }),
  });
  if ("values" in resolved) return resolved.values;
  throw invalidFields(resolved.problems.map(({ field, message }) => ({ field, detail: message })));
}

async function presetName(
  db: Queryable,
  version: { readonly id: string; readonly definition: TemplateDefinition },
  presetId: string | undefined,
): Promise<string | undefined> {
  if (presetId === undefined) return undefined;
  const presets = await readPresets(db, version);
  const found = presets.find(({ id }) => id === presetId);
  if (found === undefined) {
    throw invalidField(
      "template_version_preset_id",
      `the template version has no preset ${presetId}`,
    );
  }
  return found.preset.name;
}
