import { randomUUID } from "node:crypto";

import { nameProblem } from "@slipway/api/contract/name";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import type { Transaction } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { Conflict, invalidField, notFound } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { type LocalHints, topics } from "../../platform/pubsub/pubsub.ts";
import { keepOrigin } from "../builds/lock-service.ts";
import { lockRooms } from "../builds/quota-service.ts";
import { createFirstBuild } from "../builds/service.ts";
import { requireOpenForWorkspaces, requireUsableVersion } from "../templates/service.ts";
import { asBuildable, type BuildableVersion } from "../templates/version-service.ts";
import {
  selectWorkspacesWithBuilds,
  settingsColumns,
  workspaceRows,
  type WorkspaceWithBuild,
} from "../workspaces/queries.ts";
import { requireOwnAutostart, requireOwnTtl, requireTtl } from "../workspaces/schedule.ts";
import {
  describeFound,
  nameTaken,
  type WorkspaceNeeds,
  writesName,
} from "../workspaces/service.ts";
import {
  claimAll,
  type ClaimNeeds,
  type CreatedWorkspace,
  creationEntry,
  prepareClaim,
  type PreparedClaim,
} from "./claim.ts";
import { findOrigin, type NewWorkspace, type Origin } from "./new-workspace.ts";

export interface CreateNeeds extends WorkspaceNeeds, ClaimNeeds {
  /** Tells this replica of a claim at once, ahead of the round trip of the hint at the commit. */
  readonly localHints: LocalHints;
  /** Observes the duration of each claim. */
  readonly claimSeconds: ClaimSeconds;
}

interface ClaimSeconds {
  observe(
    labels: {
      readonly template_name: string;
      readonly preset_name: string;
      readonly organization_name: string;
    },
    seconds: number,
  ): void;
}

/** A user's request for a new workspace. */
export interface Creation {
  readonly caller: UserCaller;
  readonly input: NewWorkspace;
}

/** A request that was checked, with what its workspace is created from. */
export interface CheckedCreation extends Creation {
  readonly template: Origin["template"];
  readonly version: BuildableVersion;
  /** Undefined if no pool can serve it. */
  readonly prepared: PreparedClaim | undefined;
}

/** Checks a request whose origin was read; throws what refuses it. */
export async function checkCreation(
  db: Queryable,
  { caller, input }: Creation,
  origin: Origin,
): Promise<CheckedCreation> {
  const { template } = origin;
  requireOpenForWorkspaces(template, origin.version);
  const { autostart, ttlMs, onDeadline } = input.settings;
  requireOwnAutostart(template, autostart);
  if (ttlMs !== undefined) requireOwnTtl(template, ttlMs);
  if (onDeadline === "delete") requireTtl(ttlMs ?? template.default_ttl_ms);
  if (input.versionId !== undefined) requireUsableVersion(caller, template, origin.version.id);
  const version = await asBuildable(db, origin.version);
  const prepared = input.transition === "start" ? prepareClaim(version, input) : undefined;
  return { caller, input, template, version, prepared };
}

/**
 * Creates a workspace for its owner: claims one from a pool, or inserts a new one whose first build is queued. One that is
 * created stopped needs neither.
 */
export async function createWorkspace(
  needs: CreateNeeds,
  caller: UserCaller,
  input: NewWorkspace,
): Promise<Workspace> {
  const { name, ownerId } = input;
  const problem = nameProblem(name);
  if (problem !== undefined) throw invalidField("name", problem);
  const { db, pubsub, clock } = needs;
  const startMs = clock.monotonic();
  const origin = await findOrigin(db, input);
  const checked = await checkCreation(db, { caller, input }, origin);
  const { prepared } = checked;
  const isStarted = input.transition === "start";
  const made = await inTransaction(db, async (trx) => {
    const subject = { ownerId, initiatorId: caller.id };
    const rooms = await lockRooms(trx, needs.limits, [subject], { waits: true });
    const room = rooms.of(subject);
    if (room === undefined) throw notFound();
    room.requireWorkspace();
    if (isStarted) room.requireStart();
    const claims = prepared === undefined ? [] : [{ ...checked, prepared }];
    const [claimed] = (await claimAll(trx, needs, claims, { waits: true })).values();
    if (claimed === undefined && input.requiresPrebuild) throw noPrebuild();
    if (isStarted && claimed === undefined) room.requireBuild();
    const { id, isQueued } = claimed ?? (await insertNew(trx, checked));
    // Read now: after the commit the agent requests its own data, and nothing should delay it.
    const [found] = await selectWorkspacesWithBuilds(trx, [id]);
    if (found === undefined) throw new Error(`workspace ${id} has no build`);
    return { found, isQueued, isClaimed: claimed !== undefined };
  }).catch((error: unknown) => {
    throw writesName(error) ? nameTaken(name) : error;
  });
  const { found, isQueued, isClaimed } = made;
  if (isQueued) pubsub.publish(topics.jobQueue);
  if (prepared !== undefined && isClaimed) noteClaim(needs, found, prepared.presetName, startMs);
  else {
    pubsub.publish(topics.workspaces(ownerId));
    pubsub.publish(topics.workspace(found.workspace.id));
  }
  return describeFound(found, clock.now());
}

/** Tells the agents of a claimed workspace of their new owner, before the owner gets the response, and the metrics. */
export function noteClaim(
  { localHints, claimSeconds, clock }: CreateNeeds,
  { workspace }: WorkspaceWithBuild,
  presetName: string,
  startMs: number,
): void {
  localHints.hintHere(topics.claim(workspace.id));
  const { template_name, organization_name } = workspace;
  const labels = { template_name, preset_name: presetName, organization_name };
  claimSeconds.observe(labels, (clock.monotonic() - startMs) / 1000);
}

function noPrebuild(): Conflict {
  const detail = "no prebuilt workspace of the preset is waiting";
  return new Conflict("No prebuilt workspace is waiting.", {
    validations: [{ field: "require_prebuild", detail }],
  });
}

async function insertNew(
  trx: Transaction<DB>,
  checked: CheckedCreation,
): Promise<CreatedWorkspace> {
  const { caller, input, template, version } = checked;
  const { ownerId, name, settings, presetId, parameters, evaluation, transition } = input;
  const { id: templateId, organization_id: organizationId } = template;
  await keepOrigin(trx, { templateId, ownerId });
  const workspace = { id: randomUUID(), ownerId, organizationId, templateId, name };
  await createFirstBuild(
    trx,
    workspace,
    { transition, version, presetId, parameters, evaluation, initiator: caller },
    {
      rows: workspaceRows(workspace, settingsColumns(settings, template)),
      entries: [creationEntry(checked, workspace.id, {})],
    },
  );
  return { id: workspace.id, isQueued: transition === "start" };
}
