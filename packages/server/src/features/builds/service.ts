import { randomUUID } from "node:crypto";

import type { BuildParameter, BuildReason } from "@slipway/api/builds/build";
import type { Transition } from "@slipway/api/builds/resource";
import { capabilitiesOf } from "@slipway/drivers";
import { mayFailToRender, type TemplateDefinition } from "@slipway/template";
import type { Transaction } from "kysely";

import { violatesUnique } from "../../platform/db/errors.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { insertRows, type NewRows } from "../../platform/db/insert-rows.ts";
import { Conflict, invalidField } from "../../platform/errors/errors.ts";
import { queuedJobRows } from "../../platform/jobs/queries.ts";
import { doneJob } from "../../platform/jobs/service.ts";
import { type AuditActor, type AuditEntry, auditRows } from "../audit/service.ts";
import { jobTags } from "../templates/job-tags-service.ts";
import {
  type BuildableVersion,
  findMatchingPreset,
  requireBuildable,
} from "../templates/version-service.ts";
import { selectBuildContext } from "./build-context.ts";
import type { NewStateColumns } from "./driver-state.ts";
import { type AuthorizedWorkspace, lockAuthorized } from "./lock-service.ts";
import {
  markWorkspaceDeleted,
  selectLastBuild,
  selectLastResources,
  selectParameters,
} from "./queries.ts";
import { requireRoomToStart, type WorkspaceLimits } from "./quota-service.ts";
import { requireRenderable } from "./render.ts";
import { chooseParameters, type StartEvaluation } from "./start-parameters.ts";
import type { AcceptedState } from "./state-service.ts";
import { requireSameDriver } from "./take-over.ts";

/** The workspace of a new build, as the caller was authorized for it. */
interface BuildSubject extends AuthorizedWorkspace {
  readonly name: string;
  readonly organizationId: string;
  readonly templateId: string;
}

/** The options of a build. An omitted option keeps its value from the previous build. */
export interface NewBuild {
  readonly transition: Transition;
  readonly versionId: string | undefined;
  readonly presetId: string | undefined;
  readonly parameters: readonly BuildParameter[];
  /** The parameters that the version has for these values and those of the previous build (default: those of its definition). */
  readonly evaluation?: StartEvaluation | undefined;
  readonly reason: BuildReason;
  readonly initiator: { readonly id: string } & Pick<AuditActor, "origin">;
  /** True for a deletion that removes only the record of the workspace, and leaves its resources as they are. */
  readonly leavesResources?: boolean;
  /** Checks a state to continue from, for the driver of the version, once the workspace is locked. */
  readonly acceptState?: (trx: Transaction<DB>, driver: string) => Promise<AcceptedState>;
  /** The limits for a start; undefined when the caller has checked already. */
  readonly limits: WorkspaceLimits | undefined;
}

/**
 * Queues a build, records its initiator in the audit trail, and resolves to its id; throws `Conflict` while another one
 * is active, and what `lockAuthorized` and `requireSameDriver` throw. The caller notifies `topics.jobQueue` and the
 * workspace after its commit.
 */
export async function createBuild(
  trx: Transaction<DB>,
  workspace: BuildSubject,
  input: NewBuild,
): Promise<string> {
  const { ownerId } = workspace;
  await lockAuthorized(trx, workspace);
  const last = await selectLastBuild(trx, workspace.id);
  if (last === undefined) throw new Error(`workspace ${workspace.id} has no build`);
  if (last.completed_at === null) throw alreadyActive();
  if (input.transition === "start" && input.limits !== undefined) {
    const subject = { ownerId, initiatorId: input.initiator.id, workspaceId: workspace.id };
    await requireRoomToStart(trx, input.limits, subject);
  }
  const version = await requireBuildable(trx, input.versionId ?? last.template_version_id);
  if (version.template_id !== workspace.templateId) {
    throw invalidField("template_version_id", "must be a version of the workspace's template");
  }
  await requireSameDriver(trx, workspace, last, version.definition.driver);
  const previous = await selectParameters(trx, last.id);
  const parameters =
    input.transition === "start"
      ? chooseParameters(version, {
          given: input.parameters,
          presetId: input.presetId,
          previous,
          evaluation: input.evaluation?.previousId === last.id ? input.evaluation : undefined,
        })
      : previous;
  // A preset belongs to one version.
  const isSameVersion = version.id === last.template_version_id;
  const lastPresetId = isSameVersion ? last.template_version_preset_id : null;
  const state = await input.acceptState?.(trx, version.definition.driver);
  const outcome = input.leavesResources ? await leaveResources(trx, workspace.id) : undefined;
  return insertBuild(trx, workspace, input, {
    version,
    number: last.build_number + 1,
    // Only a start chooses a preset, and it was looked up above.
    presetId:
      (input.transition === "start" ? input.presetId : undefined) ?? lastPresetId ?? undefined,
    workerId: last.worker_id,
    parameters,
    outcome,
    state,
    creation: undefined,
  });
}

/** The options of the first build of a workspace. */
interface FirstBuild extends Pick<
  NewBuild,
  "presetId" | "parameters" | "evaluation" | "initiator"
> {
  readonly transition: "start" | "stop";
  readonly version: BuildableVersion;
}

/** The rows of a new workspace, and the entries about it in the audit trail, by the initiator of its first build. */
interface Creation {
  readonly rows: readonly NewRows[];
  readonly entries: readonly AuditEntry[];
}

/**
 * Creates a workspace and queues its first build, as `createBuild` does, in one statement. A first build that stops has
 * nothing to do, and is complete at once. The caller has checked the limits.
 */
export async function createFirstBuild(
  trx: Transaction<DB>,
  workspace: BuildSubject,
  input: FirstBuild,
  creation: Creation,
): Promise<string> {
  const { transition, version, presetId, parameters: given, evaluation, initiator } = input;
  const sources = { given, presetId, previous: undefined, evaluation };
  const parameters = chooseParameters(version, sources);
  const build = { transition, reason: "initiator", initiator } as const;
  return insertBuild(trx, workspace, build, {
    version,
    number: 1,
    presetId: presetId ?? findMatchingPreset(version, given),
    workerId: undefined,
    parameters,
    outcome: transition === "stop" ? nothingToStop : undefined,
    state: undefined,
    creation,
  });
}

/** A build whose version and values are chosen. */
interface ChosenBuild {
  readonly version: BuildableVersion;
  readonly number: number;
  readonly presetId: string | undefined;
  /** The worker of the previous build. */
  readonly workerId: string | null | undefined;
  readonly parameters: readonly BuildParameter[];
  /** The log of a build that is complete at once; undefined for one that a driver carries out. */
  readonly outcome: { readonly stage: string; readonly lines: readonly string[] } | undefined;
  /** The pushed state that it continues from; undefined for that of the previous build. */
  readonly state: AcceptedState | undefined;
  /** The creation of its workspace, if this is the first. */
  readonly creation: Creation | undefined;
}

/** Inserts a build with its job, its parameters and its audit entry, in one statement. */
async function insertBuild(
  trx: Transaction<DB>,
  { id: workspaceId, name, ownerId, organizationId }: BuildSubject,
  {
    transition,
    reason,
    leavesResources,
    initiator,
  }: Pick<NewBuild, "transition" | "reason" | "leavesResources" | "initiator">,
  { version, number, presetId, workerId, parameters, outcome, state, creation }: ChosenBuild,
): Promise<string> {
  const id = randomUUID();
  const jobId = randomUUID();
  const job = {
    type: "workspace_build",
    organizationId,
    initiatorId: initiator.id,
    fileId: version.file_id,
    workspaceId,
    ...localWorker(version.definition, workerId),
    tags: jobTags(version, parameters),
  } as const;
  const build = {
    workspaceId,
    ownerId,
    number,
    transition,
    versionId: version.id,
    presetId,
    initiatorId: initiator.id,
    jobId,
    reason,
    deadline: null,
    state: state?.columns,
  };
  const entry = {
    by: initiator,
    organizationId,
    action: transition,
    resourceType: "workspace_build",
    resourceId: id,
    target: name,
    diff: state?.change ?? {},
    fields: {
      workspace_id: workspaceId,
      build_reason: reason,
      ...(leavesResources ? { orphan: true } : {}),
    },
  } as const;
  const rows = [
    ...(creation?.rows ?? []),
    ...(outcome === undefined
      ? queuedJobRows(jobId, job)
      : doneJob(jobId, job, { workerId: null, ...outcome })),
    ...buildRows(id, build, parameters),
    ...auditRows([...(creation?.entries ?? []), entry]),
  ];
  await insertRows(trx, rows).catch((error: unknown) => {
    throw violatesUnique(error, "jobs_one_running_per_workspace") ? alreadyActive() : error;
  });
  if (transition === "start" && mayFailToRender(version.definition)) {
    const context = await selectBuildContext(trx, jobId);
    if (context !== undefined) requireRenderable(context, parameters);
  }
  return id;
}

/** The log of a first build that stops. */
const nothingToStop = {
  stage: "Stopping workspace",
  lines: ["the workspace was created stopped, and nothing was built"],
} as const;

/** The maximum number of resources that the log of a deletion names. */
const maxNamed = 50;

/** Deletes the record of a workspace; returns the log, which names the resources that its driver has not removed. */
async function leaveResources(
  trx: Transaction<DB>,
  workspaceId: string,
): Promise<NonNullable<ChosenBuild["outcome"]>> {
  await markWorkspaceDeleted(trx, workspaceId);
  const left = await selectLastResources(trx, workspaceId);
  const names = left.slice(0, maxNamed).map(({ type, name }) => `${type} ${name}`);
  const more = left.length > maxNamed ? [`and ${left.length - maxNamed} more`] : [];
  const result =
    left.length === 0
      ? "only the record was deleted; the workspace had no resources"
      : "only the record was deleted; remove these resources yourself:";
  return { stage: "Destroying workspace", lines: ["", result, ...names, ...more] };
}

/** Returns the only worker that can build a workspace, if the workspace lives on that worker's machine. */
export function localWorker(
  { driver }: Pick<TemplateDefinition, "driver">,
  lastWorkerId: string | null | undefined,
): { readonly onlyWorkerId?: string } {
  const isBound = capabilitiesOf(driver).isBoundToServer;
  return lastWorkerId && isBound ? { onlyWorkerId: lastWorkerId } : {};
}

function alreadyActive(): Conflict {
  return new Conflict("A workspace build is already active.", {
    detail: "Wait until it has finished, then try again.",
  });
}

interface InsertBuild {
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
  /** The state that it continues from; omitted for that of the previous build. */
  readonly state?: NewStateColumns | undefined;
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
    ...input.state,
  };
  const values = parameters.map(({ name, value }) => ({ workspace_build_id: id, name, value }));
  return [
    { table: "workspace_builds", rows: [build] },
    { table: "workspace_build_parameters", rows: values },
  ];
}
