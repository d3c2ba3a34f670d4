import { randomUUID } from "node:crypto";

import { nameProblem } from "@slipway/api/contract/name";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import type { Transaction } from "kysely";

import type { DB } from "../../platform/db/gen/schema.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { Conflict, invalidField } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { type LocalHints, topics } from "../../platform/pubsub/pubsub.ts";
import { keepOrigin } from "../builds/lock-service.ts";
import { lockRoom } from "../builds/quota-service.ts";
import { createFirstBuild } from "../builds/service.ts";
import { requireOpenForWorkspaces, requireUsableVersion } from "../templates/service.ts";
import { asBuildable, type BuildableVersion } from "../templates/version-service.ts";
import { settingsColumns, workspaceRows } from "../workspaces/queries.ts";
import { requireOwnAutostart, requireOwnTtl, requireTtl } from "../workspaces/schedule.ts";
import {
  nameTaken,
  readWorkspace,
  type WorkspaceNeeds,
  writesName,
} from "../workspaces/service.ts";
import {
  type ClaimNeeds,
  claimWorkspace,
  type CreatedWorkspace,
  creationEntry,
  prepareClaim,
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

/** Creates a workspace for its owner: claims one from a pool, or inserts a new one whose first build is queued. */
export async function createWorkspace(
  needs: CreateNeeds,
  caller: UserCaller,
  input: NewWorkspace,
): Promise<Workspace> {
  const { name } = input;
  const problem = nameProblem(name);
  if (problem !== undefined) throw invalidField("name", problem);
  const { db, pubsub, clock } = needs;
  const startMs = clock.monotonic();
  const origin = await findOrigin(db, input);
  const { template } = origin;
  requireOpenForWorkspaces(template, origin.version);
  const { autostart, ttlMs, onDeadline } = input.settings;
  requireOwnAutostart(template, autostart);
  if (ttlMs !== undefined) requireOwnTtl(template, ttlMs);
  if (onDeadline === "delete") requireTtl(ttlMs ?? template.default_ttl_ms);
  if (input.versionId !== undefined) requireUsableVersion(caller, template, origin.version.id);
  const version = await asBuildable(db, origin.version);
  const prepared = prepareClaim(version, input);
  const { workspace, isQueued, isClaimed } = await inTransaction(db, async (trx) => {
    const subject = { ownerId: input.ownerId, initiatorId: caller.id };
    const room = await lockRoom(trx, needs.limits, subject);
    room.requireWorkspace();
    const claimed =
      prepared && (await claimWorkspace(trx, needs, caller, { input, template, prepared }));
    if (claimed === undefined && input.requiresPrebuild) throw noPrebuild();
    if (claimed === undefined) room.requireBuild();
    const created = claimed ?? (await insertNew(trx, caller, input, { template, version }));
    return {
      // Read now: after the commit the agent requests its own data, and nothing should delay it.
      workspace: await readWorkspace(trx, caller, created.id, {
        now: clock.now(),
        includeDeleted: false,
      }),
      isQueued: created.isQueued,
      isClaimed: claimed !== undefined,
    };
  }).catch((error: unknown) => {
    throw writesName(error) ? nameTaken(name) : error;
  });
  if (isQueued) pubsub.publish(topics.jobQueue);
  if (prepared !== undefined && isClaimed) {
    // Notifies the agent of its new owner before the owner gets the response.
    needs.localHints.hintHere(topics.claim(workspace.id));
    const { template_name, organization_name } = workspace;
    const labels = { template_name, preset_name: prepared.presetName, organization_name };
    needs.claimSeconds.observe(labels, (clock.monotonic() - startMs) / 1000);
  }
  return workspace;
}

function noPrebuild(): Conflict {
  const detail = "no prebuilt workspace of the preset is waiting";
  return new Conflict("No prebuilt workspace is waiting.", {
    validations: [{ field: "require_prebuild", detail }],
  });
}

/** A template, and the version of it that a workspace is created from. */
interface BuildableOrigin {
  readonly template: Origin["template"];
  readonly version: BuildableVersion;
}

async function insertNew(
  trx: Transaction<DB>,
  caller: UserCaller,
  { ownerId, name, settings, presetId, parameters }: NewWorkspace,
  { template, version }: BuildableOrigin,
): Promise<CreatedWorkspace> {
  const { id: templateId, organization_id: organizationId } = template;
  await keepOrigin(trx, { templateId, ownerId });
  const workspace = { id: randomUUID(), ownerId, organizationId, templateId, name };
  await createFirstBuild(
    trx,
    workspace,
    { version, presetId, parameters, initiator: caller },
    {
      rows: workspaceRows(workspace, settingsColumns(settings, template)),
      entries: [creationEntry(caller, workspace, {})],
    },
  );
  return { id: workspace.id, isQueued: true };
}
