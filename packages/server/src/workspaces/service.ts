import {
  type BuildParameter,
  type BuildReason,
  type CreateBuildRequest,
  nameProblem,
  nilUuid,
  type Workspace,
  type WorkspaceBuild,
} from "@slipway/api";
import type { Clock } from "@slipway/runtime";
import type { Transaction } from "kysely";

import { recordAudit } from "../audit/service.ts";
import { mayActFor, maySeeWorkspacesOf } from "../auth/rights.ts";
import { readBuild, readNewestBuilds } from "../builds/read-service.ts";
import { canStartWith, createBuild, type NewBuild } from "../builds/service.ts";
import type { Database, Queryable } from "../db/database.ts";
import { violatesUnique } from "../db/errors.ts";
import type { DB } from "../db/gen/schema.ts";
import { inTransaction } from "../db/transaction.ts";
import type { UserCaller } from "../http/caller.ts";
import { forbidden, HttpError, invalidField, notFound } from "../http/errors.ts";
import { readUuid } from "../http/uuid.ts";
import { topics, type PubSub } from "../pubsub/pubsub.ts";
import {
  requireOpenForWorkspaces,
  requireTemplate,
  requireUsableVersion,
} from "../templates/service.ts";
import { requireVersion } from "../templates/version-service.ts";
import {
  insertWorkspace,
  selectWorkspace,
  selectWorkspaceByName,
  type WorkspaceRow,
  type WorkspaceSettings,
} from "./queries.ts";
import { workspaceJson } from "./workspace-json.ts";

export interface WorkspaceNeeds {
  readonly db: Database;
  readonly pubsub: PubSub;
  readonly clock: Clock;
}

/** A workspace's row, if the caller may see it; throws the 404. */
export async function requireWorkspace(
  db: Queryable,
  caller: UserCaller,
  id: string,
): Promise<WorkspaceRow> {
  const row = await selectWorkspace(db, id);
  if (row === undefined || !maySeeWorkspacesOf(caller, row.owner_id)) throw notFound();
  return row;
}

/** The row of a workspace that was there before; rows of deleted ones stay. */
export async function requireStillThere(db: Queryable, id: string): Promise<WorkspaceRow> {
  const row = await selectWorkspace(db, id);
  if (row === undefined) throw notFound();
  return row;
}

/**
 * A workspace's row, if the caller may change it. Throws the 404 of what he may not see, 403 when he may only see it, 410 for
 * a deleted one.
 */
export async function requireChangeable(
  db: Queryable,
  caller: UserCaller,
  id: string,
): Promise<WorkspaceRow> {
  const row = await requireWorkspace(db, caller, id);
  if (!mayActFor(caller, row.owner_id)) throw forbidden("Only its owner may change a workspace.");
  if (row.deleted) throw wasDeleted(row);
  return row;
}

function wasDeleted({ name }: Pick<WorkspaceRow, "name">): HttpError {
  return new HttpError(410, `Workspace "${name}" was deleted.`);
}

export async function requireWorkspaceByName(
  db: Queryable,
  ownerId: string,
  name: string,
  includeDeleted: boolean,
): Promise<WorkspaceRow> {
  const row = await selectWorkspaceByName(db, { ownerId, name, includeDeleted });
  if (row === undefined) throw notFound();
  return row;
}

/** The live workspace of that name, if there is one. */
export function findWorkspaceByName(
  db: Queryable,
  ownerId: string,
  name: string,
): Promise<WorkspaceRow | undefined> {
  return selectWorkspaceByName(db, { ownerId, name, includeDeleted: false });
}

/** Workspaces as clients see them, each with its newest build. */
export async function describeWorkspaces(
  db: Queryable,
  rows: readonly WorkspaceRow[],
  now: number,
): Promise<Workspace[]> {
  if (rows.length === 0) return [];
  const builds = await readNewestBuilds(
    db,
    rows.map((row) => row.id),
    now,
  );
  return rows.flatMap((row) => {
    const build = builds.find((candidate) => candidate.workspace_id === row.id);
    return build === undefined ? [] : [workspaceJson(row, build)];
  });
}

export async function describeWorkspace(
  db: Queryable,
  row: WorkspaceRow,
  now: number,
): Promise<Workspace> {
  const [workspace] = await describeWorkspaces(db, [row], now);
  if (workspace === undefined) throw new Error(`workspace ${row.id} has no build`);
  return workspace;
}

/** What a request says of a new workspace. */
export interface NewWorkspace {
  readonly ownerId: string;
  readonly name: string;
  readonly templateId: string | undefined;
  readonly versionId: string | undefined;
  readonly presetId: string | undefined;
  readonly parameters: readonly BuildParameter[];
  readonly settings: WorkspaceSettings;
}

/** Makes a workspace and queues its first build. */
export async function createWorkspace(
  needs: WorkspaceNeeds,
  caller: UserCaller,
  input: NewWorkspace,
): Promise<Workspace> {
  const problem = nameProblem(input.name);
  if (problem !== undefined) throw invalidField("name", problem);
  const { db, pubsub, clock } = needs;
  const origin = await findOrigin(db, input);
  await requireOpenForWorkspaces(db, origin.templateId, origin.versionId);
  await requireUsableVersion(db, caller, origin.templateId, origin.versionId);
  const id = await inTransaction(db, async (trx) => {
    const { ownerId, name, settings } = input;
    const { templateId, organizationId } = origin;
    const workspace = { ownerId, organizationId, templateId, name, settings };
    const workspaceId = await insertWorkspace(trx, workspace);
    await recordAudit(trx, {
      userId: caller.id,
      organizationId,
      action: "create",
      resourceType: "workspace",
      resourceId: workspaceId,
      target: name,
      diff: {},
    });
    await queueBuild(
      trx,
      { id: workspaceId, name, organization_id: organizationId, template_id: templateId },
      {
        transition: "start",
        versionId: origin.versionId,
        presetId: input.presetId,
        parameters: input.parameters,
        reason: "initiator",
        initiatorId: caller.id,
      },
    );
    return workspaceId;
  }).catch((error: unknown) => {
    throw writesName(error) ? nameTaken(input.name) : error;
  });
  pubsub.publish(topics.jobQueue);
  return describeWorkspace(db, await requireWorkspace(db, caller, id), clock.now());
}

/** Whether a statement failed because its owner has a workspace of that name. */
export function writesName(error: unknown): boolean {
  return violatesUnique(error, "workspaces_owner_name");
}

export function nameTaken(name: string): HttpError {
  return new HttpError(409, `Workspace "${name}" already exists.`, {
    validations: [{ field: "name", detail: "This value is already in use and should be unique." }],
  });
}

interface Origin {
  readonly templateId: string;
  readonly organizationId: string;
  readonly versionId: string;
}

/** The template version that a new workspace is made from: the one named, or the active one of the template. */
async function findOrigin(db: Queryable, input: NewWorkspace): Promise<Origin> {
  if (input.versionId !== undefined) {
    const version = await requireVersion(db, input.versionId).catch(() => undefined);
    if (version === undefined || version.template_id === null) {
      throw invalidField("template_version_id", `no template has the version ${input.versionId}`);
    }
    const { template_id: templateId, organization_id: organizationId } = version;
    return { templateId, organizationId, versionId: version.id };
  }
  if (input.templateId === undefined) {
    throw invalidField("template_id", "is required, unless template_version_id is given");
  }
  const template = await requireTemplate(db, input.templateId).catch(() => undefined);
  if (template === undefined)
    throw invalidField("template_id", `no template has the id ${input.templateId}`);
  return {
    templateId: template.id,
    organizationId: template.organization_id,
    versionId: template.active_version_id,
  };
}

/** Reads what a request asks of a build; the nil UUID stands for nothing. */
export function readBuildRequest(body: CreateBuildRequest, initiatorId: string): NewBuild {
  return {
    transition: body.transition,
    versionId: optionalUuid(body.template_version_id),
    presetId: optionalUuid(body.template_version_preset_id),
    parameters: body.rich_parameter_values ?? [],
    reason: body.reason ?? ("initiator" satisfies BuildReason),
    initiatorId,
  };
}

/** A UUID of a request; absent, empty and nil are the same (`clients.md` section 0.3). */
export function optionalUuid(text: string | undefined): string | undefined {
  const uuid = text === undefined ? undefined : readUuid(text);
  return uuid === nilUuid ? undefined : uuid;
}

/** Queues a build of a workspace. */
export async function buildWorkspace(
  needs: WorkspaceNeeds,
  workspace: WorkspaceRow,
  input: NewBuild,
): Promise<WorkspaceBuild> {
  const { db, pubsub, clock } = needs;
  if (workspace.deleted) throw wasDeleted(workspace);
  if (workspace.dormant_at !== null && input.transition === "start") {
    throw new HttpError(409, `Workspace "${workspace.name}" is dormant.`, {
      detail: "Wake it up first, then start it.",
    });
  }
  const buildId = await inTransaction(db, (trx) =>
    queueBuild(trx, workspace, { ...input, versionId: versionOf(workspace, input) }),
  );
  pubsub.publish(topics.jobQueue);
  pubsub.publish(topics.workspace(workspace.id));
  return readBuild(db, buildId, clock.now());
}

/**
 * The version to build: the one that is asked for, or at a start of what updates itself, by its owner's wish or by its
 * template's, the active one.
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

/** Queues a build and notes in the audit trail who wanted it. The caller hints as `createBuild` says. */
export async function queueBuild(
  trx: Transaction<DB>,
  workspace: Pick<WorkspaceRow, "id" | "name" | "organization_id" | "template_id">,
  input: NewBuild,
): Promise<string> {
  const { id, organization_id: organizationId, template_id: templateId } = workspace;
  const buildId = await createBuild(trx, { id, organizationId, templateId }, input);
  await recordAudit(trx, {
    userId: input.initiatorId,
    organizationId,
    action: input.transition,
    resourceType: "workspace_build",
    resourceId: buildId,
    target: workspace.name,
    diff: {},
    fields: { workspace_id: id, build_reason: input.reason },
  });
  return buildId;
}

/** Whether a start with the active version lacks values of parameters, so that nobody but a person can do it. */
export async function hasParameterMismatch(db: Queryable, row: WorkspaceRow): Promise<boolean> {
  if (row.automatic_updates !== "always") return false;
  return !(await canStartWith(db, row.id, row.template_active_version_id));
}
