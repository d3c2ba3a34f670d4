import { type BuildParameter, nameProblem, type Workspace } from "@slipway/api";
import type { Transaction } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { insertRows } from "../../platform/db/insert-rows.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { ifFound, invalidField } from "../../platform/http/errors.ts";
import { notifyAtCommit } from "../../platform/pubsub/notify-at-commit.ts";
import { type LocalHints, type PubSub, topics } from "../../platform/pubsub/pubsub.ts";
import { type AuditEntry, auditRows, recordAudit } from "../audit/service.ts";
import {
  buildClaim,
  type ClaimNeeds,
  prepareClaim,
  type PreparedClaim,
} from "../builds/claim-service.ts";
import { keepOrigin } from "../builds/lock-service.ts";
import { lockRoom } from "../builds/quota-service.ts";
import {
  requireOpenForWorkspaces,
  requireTemplate,
  requireUsableVersion,
} from "../templates/service.ts";
import { findActiveVersion, requireVersion } from "../templates/version-service.ts";
import { queueBuild } from "./build-service.ts";
import { insertWorkspace, settingsColumns, type WorkspaceSettings } from "./queries.ts";
import { nameTaken, readWorkspace, type WorkspaceNeeds, writesName } from "./service.ts";

/** The request for a new workspace. */
export interface NewWorkspace {
  readonly ownerId: string;
  readonly name: string;
  readonly templateId: string | undefined;
  readonly versionId: string | undefined;
  readonly presetId: string | undefined;
  readonly parameters: readonly BuildParameter[];
  readonly settings: WorkspaceSettings;
}

export interface CreateNeeds extends WorkspaceNeeds, ClaimNeeds {
  readonly pubsub: PubSub & LocalHints;
  readonly takePrebuild: TakePrebuild;
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

/** Takes a workspace from the pool of a preset and gives it to its new owner; undefined when none is waiting. */
export type TakePrebuild = (
  trx: Transaction<DB>,
  presetId: string,
  owner: {
    readonly ownerId: string;
    readonly name: string;
    readonly settings: ReturnType<typeof settingsColumns>;
  },
) => Promise<string | undefined>;

/** Gives the owner a workspace: one from a pool, or a new one whose first build is queued. */
export async function createWorkspace(
  needs: CreateNeeds,
  caller: UserCaller,
  input: NewWorkspace,
): Promise<Workspace> {
  const problem = nameProblem(input.name);
  if (problem !== undefined) throw invalidField("name", problem);
  const { db, pubsub, clock } = needs;
  const startMs = clock.monotonic();
  const origin = await findOrigin(db, input);
  requireOpenForWorkspaces(origin.template, origin.version);
  if (input.versionId !== undefined) {
    requireUsableVersion(caller, origin.template, origin.version.id);
  }
  const { name } = input;
  const claim = await prepareClaim(db, origin.version, input);
  const { workspace, isQueued, claimed } = await inTransaction(db, async (trx) => {
    const subject = { ownerId: input.ownerId, initiatorId: caller.id };
    const room = await lockRoom(trx, needs.limits, subject);
    room.requireWorkspace();
    const taken = claim && (await claimWorkspace(trx, needs, caller, { input, origin, claim }));
    if (taken === undefined) room.requireBuild();
    const { id, isQueued: waits } = taken ?? (await insertNew(trx, caller, input, origin));
    return {
      // Read now: after the commit the agent requests its own data, and nothing should delay it.
      workspace: await readWorkspace(trx, caller, id, clock.now()),
      isQueued: waits,
      claimed: taken === undefined ? undefined : claim,
    };
  }).catch((error: unknown) => {
    throw writesName(error) ? nameTaken(name) : error;
  });
  if (isQueued) pubsub.publish(topics.jobQueue);
  if (claimed !== undefined) {
    // Notifies the agent of its new owner before the owner gets the response.
    pubsub.hintHere(topics.claim(workspace.id));
    const { template_name, organization_name } = workspace;
    const labels = { template_name, preset_name: claimed.presetName, organization_name };
    needs.claimSeconds.observe(labels, (clock.monotonic() - startMs) / 1000);
  }
  return workspace;
}

async function insertNew(
  trx: Transaction<DB>,
  caller: UserCaller,
  input: NewWorkspace,
  { template: { id: templateId, organization_id: organizationId }, version }: Origin,
): Promise<Made> {
  const { ownerId, name, settings, presetId, parameters } = input;
  await keepOrigin(trx, { templateId, ownerId });
  const id = await insertWorkspace(trx, { ownerId, organizationId, templateId, name, settings });
  await recordAudit(trx, creation(caller, { id, organizationId, name }, {}));
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

/** The outcome of the transaction. */
interface Made {
  readonly id: string;
  /** True if its build still has to be carried out. */
  readonly isQueued: boolean;
}

interface Claim {
  readonly input: NewWorkspace;
  readonly origin: Origin;
  readonly claim: PreparedClaim;
}

/** Claims a workspace; resolves to undefined, with nothing changed, when none is waiting in the pool. */
async function claimWorkspace(
  trx: Transaction<DB>,
  needs: CreateNeeds,
  caller: UserCaller,
  { input, origin, claim }: Claim,
): Promise<Made | undefined> {
  const { ownerId, name, settings } = input;
  const { id: templateId, organization_id: organizationId } = origin.template;
  const id = await needs.takePrebuild(trx, claim.presetId, {
    ownerId,
    name,
    settings: settingsColumns(settings, templateId),
  });
  if (id === undefined) return undefined;
  const build = await buildClaim(
    trx,
    needs,
    { id, ownerId, organizationId, templateId },
    claim,
    caller,
  );
  const fields = { claimed_by_build: build.id };
  const audit = auditRows(creation(caller, { id, organizationId, name }, fields));
  const hint = notifyAtCommit([topics.claim(id), topics.workspace(id), topics.prebuilds]);
  await insertRows([...build.rows, ...audit], hint).execute(trx);
  return { id, isQueued: build.isQueued };
}

function creation(
  caller: UserCaller,
  workspace: { readonly id: string; readonly organizationId: string; readonly name: string },
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

interface Origin {
  readonly template: Awaited<ReturnType<typeof requireTemplate>>;
  readonly version: Awaited<ReturnType<typeof requireVersion>>;
}

/** Finds the template version for a new workspace: the one named, or the active one of the template. */
async function findOrigin(db: Queryable, input: NewWorkspace): Promise<Origin> {
  if (input.versionId !== undefined) {
    const version = await ifFound(requireVersion(db, input.versionId));
    if (version === undefined || version.template_id === null) {
      throw invalidField("template_version_id", `no template has the version ${input.versionId}`);
    }
    return { template: await requireTemplate(db, version.template_id), version };
  }
  if (input.templateId === undefined) {
    throw invalidField("template_id", "is required, unless template_version_id is given");
  }
  const [template, version] = await Promise.all([
    ifFound(requireTemplate(db, input.templateId)),
    findActiveVersion(db, input.templateId),
  ]);
  if (template === undefined || version === undefined)
    throw invalidField("template_id", `no template has the id ${input.templateId}`);
  return { template, version };
}
