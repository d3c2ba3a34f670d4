import { randomUUID } from "node:crypto";

import type { BuildParameter } from "@slipway/api/builds/build";
import type { Driver } from "@slipway/drivers";
import type { Transaction } from "kysely";

import type { SecretBox } from "../../platform/auth/secret-box.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { insertRows, type NewRows } from "../../platform/db/insert-rows.ts";
import { Invalid } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { queuedJobRows } from "../../platform/jobs/queries.ts";
import { doneJob } from "../../platform/jobs/service.ts";
import { notifyAtCommit } from "../../platform/pubsub/postgres-pubsub.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import { type AuditEntry, auditRows } from "../audit/service.ts";
import { renderOrRefuse } from "../builds/render.ts";
import { buildRows, localWorker, type NewBuild } from "../builds/service.ts";
import { resourceRows } from "../builds/start-agents.ts";
import { resolveStart } from "../builds/start-parameters.ts";
import { claimStage, restartsAtClaim } from "../builds/take-over.ts";
import { type BuildableVersion, findPool } from "../templates/version-service.ts";
import { settingsColumns } from "../workspaces/queries.ts";
import { choosePrebuild } from "./choose-prebuild.ts";
import { type ClaimedPrebuild, sqlClaim } from "./claim-queries.ts";
import type { NewWorkspace, Origin } from "./new-workspace.ts";

/** The pool to claim from, and the values of the claim's build. */
export interface PreparedClaim {
  readonly version: BuildableVersion;
  readonly presetId: string;
  readonly presetName: string;
  readonly parameters: readonly BuildParameter[];
}

/**
 * Finds a pool from which a workspace of this version can be claimed: that of the named preset, or of the preset that
 * the values match. Undefined when there is no such pool; throws `Invalid` for invalid values.
 *
 * The values are chosen as for a first build, because that is what it is to its owner.
 */
export function prepareClaim(
  version: BuildableVersion,
  request: Pick<NewBuild, "presetId" | "parameters">,
): PreparedClaim | undefined {
  const pool = findPool(version, request.presetId, request.parameters);
  if (pool === undefined) return undefined;
  const parameters = resolveStart(version.definition, {
    given: request.parameters,
    preset: pool.preset.name,
    previous: undefined,
  });
  return { version, presetId: pool.id, presetName: pool.preset.name, parameters };
}

export interface ClaimNeeds {
  readonly secrets: SecretBox;
  readonly drivers: ReadonlyMap<string, Driver>;
}

/** A request for a workspace that a pool can serve. */
export interface Claim {
  readonly input: NewWorkspace;
  readonly template: Origin["template"];
  readonly prepared: PreparedClaim;
}

/** A workspace that a transaction created or claimed. */
export interface CreatedWorkspace {
  readonly id: string;
  /** True if its build is queued for a worker. */
  readonly isQueued: boolean;
}

/**
 * Runs the transaction of a claim (docs/claims.md): chooses a prebuild and claims it, inserts the claim's build with the
 * new agents and the audit entry, and sends the hints at the commit. Resolves to undefined, with nothing changed, when no
 * prebuild waits in the pool.
 */
export async function claimWorkspace(
  trx: Transaction<DB>,
  needs: ClaimNeeds,
  caller: UserCaller,
  { input, template, prepared }: Claim,
): Promise<CreatedWorkspace | undefined> {
  const { ownerId, name, settings } = input;
  const { organization_id: organizationId } = template;
  const { definition } = prepared.version;
  const driver = needs.drivers.get(definition.driver);
  const isQueued = driver?.claim !== undefined || restartsAtClaim(definition);
  const claim = sqlClaim(trx, {
    settings: settingsColumns(settings, template),
    endsAgents: !isQueued,
  });
  const id = await choosePrebuild(claim, prepared.presetId, { ownerId, name });
  if (id === undefined) return undefined;
  requireEnabled(driver);
  const workspace = { id, ownerId, organizationId, initiatorId: caller.id, isQueued };
  const build = claimBuild(needs.secrets, workspace, prepared, claim.claimed);
  const fields = { claimed_by_build: build.id };
  const audit = auditRows([creationEntry(caller, { id, organizationId, name }, fields)]);
  const hint = notifyAtCommit([
    topics.claim(id),
    topics.builds(id),
    topics.workspace(id),
    topics.prebuilds,
  ]);
  // The transaction reads the workspace next.
  await insertRows(trx, [...build.rows, ...audit], { selection: hint, sentWithNext: true });
  return { id, isQueued };
}

/** A claimed workspace, with its new owner. */
interface ClaimedWorkspace {
  readonly id: string;
  readonly ownerId: string;
  readonly organizationId: string;
  readonly initiatorId: string;
  /** True if the driver has something to do at this claim. */
  readonly isQueued: boolean;
}

interface ClaimBuild {
  readonly id: string;
  /** The rows that are still to be inserted. */
  readonly rows: readonly NewRows[];
}

/**
 * Returns the build of a claim. If the driver has nothing to do at a claim, the build completes with the transaction, and
 * its agents keep the names and tokens of their predecessors, whose processes continue; otherwise it is queued.
 */
function claimBuild(
  secrets: SecretBox,
  { id: workspaceId, ownerId, organizationId, initiatorId, isQueued }: ClaimedWorkspace,
  { version, presetId, parameters }: PreparedClaim,
  last: ClaimedPrebuild | undefined,
): ClaimBuild {
  const { definition, name } = version;
  if (last?.transition !== "start" || last.build_owner_id === ownerId) {
    throw new Error(`workspace ${workspaceId} does not run for another owner`);
  }
  const context = { ...last, definition, template_version_name: name };
  const definitions = renderOrRefuse(context, parameters);
  const id = randomUUID();
  const jobId = randomUUID();
  const job = {
    type: "workspace_build",
    organizationId,
    initiatorId,
    fileId: version.file_id,
    workspaceId,
    ...localWorker(definition, last.worker_id),
  } as const;
  const build = {
    workspaceId,
    ownerId,
    number: last.build_number + 1,
    transition: "start",
    versionId: version.id,
    presetId,
    initiatorId,
    jobId,
    reason: "initiator",
  } as const;
  if (isQueued) {
    const rows = buildRows(id, { ...build, deadline: null }, parameters);
    return { id, rows: [...queuedJobRows(jobId, job), ...rows] };
  }
  const { worker_id: workerId, deadline, resources, processes } = last;
  const line = "the workspace was running already and waited for its owner";
  const rows = [
    ...doneJob(jobId, job, { workerId, stage: claimStage, line }),
    ...buildRows(id, { ...build, deadline }, parameters),
    ...resourceRows(secrets, { buildId: id, jobId, resources, definitions, processes }),
  ];
  return { id, rows };
}

/** Throws `Invalid` for a prebuild whose driver was disabled: it still runs, but cannot be claimed. */
function requireEnabled(driver: Driver | undefined): void {
  if (driver?.refusal === undefined) return;
  throw new Invalid(`The driver "${driver.name}" ${driver.refusal}.`);
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
