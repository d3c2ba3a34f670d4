import { nameProblem, type Workspace } from "@slipway/api";
import type { Transaction } from "kysely";

import type { DB } from "../../../platform/db/gen/schema.ts";
import { inTransaction } from "../../../platform/db/transaction.ts";
import type { UserCaller } from "../../../platform/http/caller.ts";
import { invalidField } from "../../../platform/http/errors.ts";
import { type LocalHints, type PubSub, topics } from "../../../platform/pubsub/pubsub.ts";
import { recordAudit } from "../../audit/service.ts";
import { keepOrigin } from "../../builds/lock-service.ts";
import { lockRoom } from "../../builds/quota-service.ts";
import { requireOpenForWorkspaces, requireUsableVersion } from "../../templates/service.ts";
import { queueBuild } from "../build-service.ts";
import { insertWorkspace } from "../queries.ts";
import { nameTaken, readWorkspace, type WorkspaceNeeds, writesName } from "../service.ts";
import { type ClaimNeeds, claimWorkspace } from "./claim-workspace.ts";
import { findOrigin, type Origin } from "./find-origin.ts";
import { type CreatedWorkspace, creationEntry, type NewWorkspace } from "./new-workspace.ts";
import { prepareClaim } from "./prepare-claim.ts";

export interface CreateNeeds extends WorkspaceNeeds, ClaimNeeds {
  readonly pubsub: PubSub & LocalHints;
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

/** Gives the owner a workspace: one from a pool, or a new one whose first build is queued. */
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
  requireOpenForWorkspaces(origin.template, origin.version);
  if (input.versionId !== undefined) {
    requireUsableVersion(caller, origin.template, origin.version.id);
  }
  const prepared = await prepareClaim(db, origin.version, input);
  const { workspace, isQueued, isClaimed } = await inTransaction(db, async (trx) => {
    const subject = { ownerId: input.ownerId, initiatorId: caller.id };
    const room = await lockRoom(trx, needs.limits, subject);
    room.requireWorkspace();
    const claimed =
      prepared && (await claimWorkspace(trx, needs, caller, { input, origin, prepared }));
    if (claimed === undefined) room.requireBuild();
    const created = claimed ?? (await insertNew(trx, caller, input, origin));
    return {
      // Read now: after the commit the agent requests its own data, and nothing should delay it.
      workspace: await readWorkspace(trx, caller, created.id, clock.now()),
      isQueued: created.isQueued,
      isClaimed: claimed !== undefined,
    };
  }).catch((error: unknown) => {
    throw writesName(error) ? nameTaken(name) : error;
  });
  if (isQueued) pubsub.publish(topics.jobQueue);
  if (prepared !== undefined && isClaimed) {
    // Notifies the agent of its new owner before the owner gets the response.
    pubsub.hintHere(topics.claim(workspace.id));
    const { template_name, organization_name } = workspace;
    const labels = { template_name, preset_name: prepared.presetName, organization_name };
    needs.claimSeconds.observe(labels, (clock.monotonic() - startMs) / 1000);
  }
  return workspace;
}

async function insertNew(
  trx: Transaction<DB>,
  caller: UserCaller,
  input: NewWorkspace,
  { template: { id: templateId, organization_id: organizationId }, version }: Origin,
): Promise<CreatedWorkspace> {
  const { ownerId, name, settings, presetId, parameters } = input;
  await keepOrigin(trx, { templateId, ownerId });
  const id = await insertWorkspace(trx, { ownerId, organizationId, templateId, name, settings });
  await recordAudit(trx, creationEntry(caller, { id, organizationId, name }, {}));
  await queueBuild(
    trx,
    { id, name, owner_id: ownerId, organization_id: organizationId, template_id: templateId },
    {
      transition: "start",
      versionId: version.id,
      presetId,
      parameters,
      reason: "initiator",
      initiator: caller,
      limits: undefined,
    },
  );
  return { id, isQueued: true };
}
