import type { BuildReason, CreateBuildRequest, WorkspaceBuild } from "@slipway/api/builds/build";
import type { Transaction } from "kysely";

import { mayWriteTemplates } from "../../platform/auth/rights.ts";
import type { Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { Conflict, forbidden, ifFound, invalidField } from "../../platform/errors/errors.ts";
import { optionalUuid } from "../../platform/fields/uuid.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import { wasDeleted } from "../builds/lock-service.ts";
import { selectLastBuild, selectParameters } from "../builds/queries.ts";
import { readBuild } from "../builds/read-service.ts";
import { createBuild, type NewBuild } from "../builds/service.ts";
import { canStartWith, evaluateStart, type StartEvaluation } from "../builds/start-parameters.ts";
import {
  acceptState,
  readState,
  requireStateWriter,
  type StateNeeds,
} from "../builds/state-service.ts";
import type { ParameterReader } from "../templates/parameter-service.ts";
import { requireVersion } from "../templates/version-service.ts";
import type { WorkspaceRow } from "./queries.ts";
import { refusePrebuild, requireStillThere, type WorkspaceNeeds } from "./service.ts";
import { updateLastUsedAt } from "./settings-queries.ts";

/**
 * Reads a request for a build; the nil UUID means none. Throws `Forbidden` and `Invalid` for a deletion that leaves the
 * resources, unless the initiator could also change the template that describes them.
 */
export function readBuildRequest(
  body: CreateBuildRequest,
  initiator: UserCaller,
): Omit<NewBuild, "limits"> {
  return {
    transition: body.transition,
    versionId: optionalUuid(body.template_version_id),
    presetId: optionalUuid(body.template_version_preset_id),
    parameters: body.rich_parameter_values ?? [],
    reason: body.reason ?? ("initiator" satisfies BuildReason),
    leavesResources: readOrphan(body, initiator),
    initiator,
  };
}

function readOrphan({ orphan = false, transition }: CreateBuildRequest, user: UserCaller): boolean {
  if (!orphan) return false;
  if (transition !== "delete") throw invalidField("orphan", 'is only for the transition "delete"');
  if (mayWriteTemplates(user)) return true;
  throw forbidden("Only those who write templates can delete a workspace without its resources.");
}

/** Reads the state that a request pushes. Throws `Forbidden` for those who do not write templates. */
export function acceptedState(
  needs: StateNeeds,
  { id: workspaceId }: Pick<WorkspaceRow, "id">,
  { state }: Pick<CreateBuildRequest, "state">,
  user: UserCaller,
): Pick<NewBuild, "acceptState"> {
  if (state === undefined || state === "") return {};
  requireStateWriter(user);
  const pushed = { bytes: readState(state), isForced: false };
  return {
    acceptState: (trx, driver) => acceptState(trx, needs, user, { workspaceId, driver }, pushed),
  };
}

/** Queues a build of a workspace. Resolves to the build as queued, even if it is carried out at once. */
export async function buildWorkspace(
  needs: WorkspaceNeeds,
  workspace: WorkspaceRow,
  input: Omit<NewBuild, "limits">,
): Promise<WorkspaceBuild> {
  const { db, pubsub, clock, limits } = needs;
  if (workspace.deleted) throw wasDeleted(workspace);
  if (changesAnything(input)) refusePrebuild(workspace);
  const build = await inTransaction(db, async (trx) => {
    const wanted = { ...input, versionId: versionOf(workspace, input), limits };
    const id = await queueBuild(trx, workspace, wanted);
    if (input.transition === "start") await noteStart(trx, workspace);
    return readBuild(trx, id, clock.now());
  });
  pubsub.publish(topics.jobQueue);
  pubsub.publish(topics.builds(workspace.id));
  pubsub.publish(topics.workspace(workspace.id));
  return build;
}

/** Counts a start as use of its workspace, which is locked; throws `Conflict` for a dormant one. */
async function noteStart(trx: Transaction<DB>, { id, name }: WorkspaceRow): Promise<void> {
  const { dormant_at: dormantAt } = await requireStillThere(trx, id);
  if (dormantAt !== null) {
    throw new Conflict(`Workspace "${name}" is dormant.`, { detail: "Wake it up, then start it." });
  }
  await updateLastUsedAt(trx, id);
}

/** Returns whether a build has other values or another version than the previous one. */
function changesAnything({
  versionId,
  presetId,
  parameters,
}: Pick<NewBuild, "versionId" | "presetId" | "parameters">): boolean {
  return versionId !== undefined || presetId !== undefined || parameters.length > 0;
}

/**
 * Returns the version to build: the requested one; or, at a start with automatic updates set by the owner or required
 * by the template, the active one.
 */
export function versionOf(
  workspace: Pick<
    WorkspaceRow,
    "automatic_updates" | "template_active_version_id" | "template_require_active_version"
  >,
  { transition, versionId }: Pick<NewBuild, "transition" | "versionId">,
): string | undefined {
  const isWanted =
    workspace.automatic_updates === "always" || workspace.template_require_active_version;
  const updates = isWanted && transition === "start";
  return versionId ?? (updates ? workspace.template_active_version_id : undefined);
}

/** Queues a build as `createBuild` does. */
export function queueBuild(
  trx: Transaction<DB>,
  workspace: Pick<WorkspaceRow, "id" | "name" | "owner_id" | "organization_id" | "template_id">,
  input: NewBuild,
): Promise<string> {
  const { id, name, owner_id: ownerId, organization_id, template_id } = workspace;
  const subject = { id, name, ownerId, organizationId: organization_id, templateId: template_id };
  return createBuild(trx, subject, input);
}

interface EvaluationNeeds {
  readonly db: Queryable;
  readonly parameters: ParameterReader;
}

/**
 * Reads the parameters that the version of a build has for its values, unless they are the same for all, or the build keeps
 * version and values. It may take seconds.
 */
export async function evaluateBuild(
  { db, parameters: reader }: EvaluationNeeds,
  userId: string,
  {
    workspace,
    input,
  }: { readonly workspace: WorkspaceRow; readonly input: Omit<NewBuild, "limits"> },
  signal: AbortSignal,
): Promise<StartEvaluation | undefined> {
  const { transition, parameters: given, presetId } = input;
  const versionId = versionOf(workspace, input);
  if (transition !== "start" || !changesAnything({ ...input, versionId })) return undefined;
  const last = await selectLastBuild(db, workspace.id);
  if (last === undefined) return undefined;
  const isSame = (versionId ?? last.template_version_id) === last.template_version_id;
  if (isSame && presetId === undefined && given.length === 0) return undefined;
  const version = await ifFound(requireVersion(db, versionId ?? last.template_version_id));
  const definition = version?.definition;
  if (version?.template_id !== workspace.template_id || !definition?.parameterSources) {
    return undefined;
  }
  const previous = { id: last.id, values: await selectParameters(db, last.id) };
  const start = { version: { ...version, definition }, ownerId: workspace.owner_id, given };
  return evaluateStart(reader, userId, { ...start, presetId, previous }, signal);
}

/** Returns whether a start with the active version lacks parameter values that only a person can supply. */
export async function hasParameterMismatch(
  needs: EvaluationNeeds,
  userId: string,
  row: WorkspaceRow,
  signal: AbortSignal,
): Promise<boolean> {
  if (row.automatic_updates !== "always") return false;
  const start = { userId, workspaceId: row.id, versionId: row.template_active_version_id };
  return !(await canStartWith(needs, start, signal));
}
