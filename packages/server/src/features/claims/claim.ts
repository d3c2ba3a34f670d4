import { randomUUID } from "node:crypto";

import type { BuildParameter } from "@slipway/api/builds/build";
import type { Driver } from "@slipway/drivers";
import type { PresetDefinition } from "@slipway/template";
import type { Transaction } from "kysely";

import type { SecretBox } from "../../platform/auth/secret-box.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { insertRows, type NewRows } from "../../platform/db/insert-rows.ts";
import { Invalid } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { queuedJobRows } from "../../platform/jobs/queries.ts";
import { doneJob } from "../../platform/jobs/service.ts";
import { hasTags } from "../../platform/jobs/tags.ts";
import { notifyAtCommit } from "../../platform/pubsub/postgres-pubsub.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import { type AuditEntry, auditRows } from "../audit/service.ts";
import { renderOrRefuse } from "../builds/render.ts";
import { buildRows, localWorker, type NewBuild } from "../builds/service.ts";
import { resourceRows } from "../builds/start-agents.ts";
import { chooseParameters } from "../builds/start-parameters.ts";
import { claimStage, restartsAtClaim } from "../builds/take-over.ts";
import { jobTags } from "../templates/job-tags-service.ts";
import { type BuildableVersion, findPool } from "../templates/version-service.ts";
import { settingsColumns } from "../workspaces/queries.ts";
import { choosePrebuilds } from "./choose-prebuilds.ts";
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
  request: Pick<NewBuild, "presetId" | "parameters" | "evaluation">,
): PreparedClaim | undefined {
  const pool = findPool(version, request.presetId, request.parameters);
  if (pool === undefined) return undefined;
  const parameters = chooseParameters(version, {
    given: beyondPreset(version, pool.preset, request.parameters),
    presetId: pool.id,
    previous: undefined,
    evaluation: request.evaluation,
  });
  return { version, presetId: pool.id, presetName: pool.preset.name, parameters };
}

/**
 * Returns the given values without those that the preset sets to the same, where parameters depend on each other: a claim with
 * nothing but a preset need not read them.
 */
function beyondPreset(
  { definition }: BuildableVersion,
  preset: PresetDefinition,
  given: readonly BuildParameter[],
): readonly BuildParameter[] {
  if (definition.parameterSources === undefined) return given;
  const values = new Map(preset.parameters.map(({ name, value }) => [name, value]));
  return given.filter(({ name, value }) => values.get(name) !== value);
}

export interface ClaimNeeds {
  readonly secrets: SecretBox;
  readonly drivers: ReadonlyMap<string, Driver>;
}

/** A request for a workspace that a pool can serve. */
export interface Claim {
  readonly caller: UserCaller;
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
 * Runs the transaction of claims (docs/claims.md): chooses prebuilds and claims them, inserts the claims' builds with the
 * new agents and the audit entries, and sends the hints at the commit. Resolves to the claimed workspaces; claims for which
 * no prebuild waits in the pool have none. If it `waits`, it looks a while for a prebuild that others hold.
 */
export async function claimAll(
  trx: Transaction<DB>,
  needs: ClaimNeeds,
  claims: readonly Claim[],
  { waits }: { readonly waits: boolean },
): Promise<ReadonlyMap<Claim, CreatedWorkspace>> {
  const builds: ClaimBuild[] = [];
  for (const ofPool of Map.groupBy(claims, ({ prepared }) => prepared.presetId).values()) {
    builds.push(...(await claimFromPool(trx, needs, ofPool, waits)));
  }
  if (builds.length === 0) return new Map();
  // The commit locks the rows of the read model in the order of the builds, which is that of the ids for everyone.
  builds.sort((one, other) => (one.id < other.id ? -1 : 1));
  const rows = builds.flatMap((build) => build.rows);
  const selection = notifyAtCommit([...new Set(builds.flatMap(hintedTopics))]);
  // The transaction reads the workspaces next.
  await insertRows(trx, rows, { selection, sentWithNext: true });
  return new Map(builds.map((build) => [build.claim, build]));
}

/** The build of a claim. */
interface ClaimBuild extends CreatedWorkspace {
  readonly claim: Claim;
  /** The rows that are still to be inserted. */
  readonly rows: readonly NewRows[];
}

/** Claims prebuilds of one pool, of which all claims have the same preset; resolves to their builds. */
async function claimFromPool(
  trx: Transaction<DB>,
  { secrets, drivers }: ClaimNeeds,
  claims: readonly Claim[],
  waits: boolean,
): Promise<readonly ClaimBuild[]> {
  const [first] = claims;
  if (first === undefined) return [];
  const { definition } = first.prepared.version;
  const driver = drivers.get(definition.driver);
  const isQueued = driver?.claim !== undefined || restartsAtClaim(definition);
  const sqlClaims = sqlClaim(trx, { endsAgents: !isQueued, waits });
  const owners = claims.map(({ input: { ownerId, name, settings }, template }) => {
    return { ownerId, name, settings: settingsColumns(settings, template) };
  });
  const ids = await choosePrebuilds(sqlClaims, first.prepared.presetId, owners);
  return claims.flatMap((claim, index) => {
    const id = ids[index];
    if (id === undefined) return [];
    if (!hasTags(jobTags(claim.prepared.version))) requireEnabled(driver);
    return [claimBuild(secrets, claim, { id, isQueued }, sqlClaims.claimed.get(id))];
  });
}

function hintedTopics({ id, claim: { input, prepared } }: ClaimBuild): readonly string[] {
  return [
    topics.claim(id),
    topics.builds(id),
    topics.workspace(id),
    topics.workspaces(input.ownerId),
    topics.prebuilds(prepared.presetId),
  ];
}

/**
 * Returns the build of a claim. If the driver has nothing to do at a claim, the build completes with the transaction, and
 * its agents keep the names and tokens of their predecessors, whose processes continue; otherwise it is queued.
 */
function claimBuild(
  secrets: SecretBox,
  claim: Claim,
  created: CreatedWorkspace,
  last: ClaimedPrebuild | undefined,
): ClaimBuild {
  const { caller, input, template, prepared } = claim;
  const { version, presetId, parameters } = prepared;
  const { id: workspaceId, isQueued } = created;
  const { ownerId } = input;
  if (last?.transition !== "start" || last.build_owner_id === ownerId) {
    throw new Error(`workspace ${workspaceId} does not run for another owner`);
  }
  const { definition, name } = version;
  const context = { ...last, definition, template_version_name: name };
  const definitions = renderOrRefuse(context, parameters);
  const id = randomUUID();
  const jobId = randomUUID();
  const job = {
    type: "workspace_build",
    organizationId: template.organization_id,
    initiatorId: caller.id,
    fileId: version.file_id,
    workspaceId,
    ...localWorker(definition, last.worker_id),
    tags: jobTags(version, parameters),
  } as const;
  const build = {
    workspaceId,
    ownerId,
    number: last.build_number + 1,
    transition: "start",
    versionId: version.id,
    presetId,
    initiatorId: caller.id,
    jobId,
    reason: "initiator",
  } as const;
  const audit = auditRows([creationEntry(claim, workspaceId, { claimed_by_build: id })]);
  if (isQueued) {
    const rows = buildRows(id, { ...build, deadline: null }, parameters);
    return { ...created, claim, rows: [...queuedJobRows(jobId, job), ...rows, ...audit] };
  }
  const { worker_id: workerId, deadline, resources, processes } = last;
  const line = "the workspace was running already and waited for its owner";
  const rows = [
    ...doneJob(jobId, job, { workerId, stage: claimStage, lines: [line] }),
    ...buildRows(id, { ...build, deadline }, parameters),
    ...resourceRows(secrets, { buildId: id, jobId, resources, definitions, processes }),
    ...audit,
  ];
  return { ...created, claim, rows };
}

/** Throws `Invalid` for a prebuild whose driver was disabled: it still runs, but cannot be claimed. */
function requireEnabled(driver: Driver | undefined): void {
  if (driver?.refusal === undefined) return;
  throw new Invalid(`The driver "${driver.name}" ${driver.refusal}.`);
}

/** Returns the audit entry of a new workspace; a claim adds its build to `fields`. */
export function creationEntry(
  { caller, input, template }: Pick<Claim, "caller" | "input" | "template">,
  workspaceId: string,
  fields: Readonly<Record<string, string>>,
): AuditEntry {
  return {
    by: caller,
    organizationId: template.organization_id,
    action: "create",
    resourceType: "workspace",
    resourceId: workspaceId,
    target: input.name,
    diff: {},
    fields,
  };
}
