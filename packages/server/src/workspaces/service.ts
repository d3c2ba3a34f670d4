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

import { mayActFor } from "../auth/rights.ts";
import { readBuild, readNewestBuilds } from "../builds/read-service.ts";
import { createBuild, type NewBuild } from "../builds/service.ts";
import type { Database, Queryable } from "../db/database.ts";
import { violatesUnique } from "../db/errors.ts";
import { inTransaction } from "../db/transaction.ts";
import type { UserCaller } from "../http/caller.ts";
import { HttpError, invalidField, notFound } from "../http/errors.ts";
import { readUuid } from "../http/uuid.ts";
import { topics, type PubSub } from "../pubsub/pubsub.ts";
import { requireTemplate } from "../templates/service.ts";
import { requireVersion } from "../templates/version-service.ts";
import {
  insertWorkspace,
  selectWorkspace,
  selectWorkspaceByName,
  type WorkspaceFilter,
  type WorkspaceRow,
  selectWorkspaces,
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
  if (row === undefined || !mayActFor(caller, row.owner_id)) throw notFound();
  return row;
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
async function describeWorkspaces(
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

/** The workspaces that a caller may see, among those asked for. */
export async function listWorkspaces(
  { db, clock }: WorkspaceNeeds,
  filter: WorkspaceFilter,
): Promise<Workspace[]> {
  return describeWorkspaces(db, await selectWorkspaces(db, filter), clock.now());
}

/** What a request says of a new workspace. */
export interface NewWorkspace {
  readonly ownerId: string;
  readonly name: string;
  readonly templateId: string | undefined;
  readonly versionId: string | undefined;
  readonly presetId: string | undefined;
  readonly parameters: readonly BuildParameter[];
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
  const id = await inTransaction(db, async (trx) => {
    const { ownerId, name } = input;
    const { templateId, organizationId } = origin;
    const workspaceId = await insertWorkspace(trx, { ownerId, organizationId, templateId, name });
    await createBuild(
      trx,
      { id: workspaceId, organizationId, templateId },
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
    if (!violatesUnique(error, "workspaces_owner_name")) throw error;
    throw new HttpError(409, `Workspace "${input.name}" already exists.`, {
      validations: [
        { field: "name", detail: "This value is already in use and should be unique." },
      ],
    });
  });
  pubsub.publish(topics.jobQueue);
  return describeWorkspace(db, await requireWorkspace(db, caller, id), clock.now());
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
  if (workspace.deleted) throw new HttpError(410, `Workspace "${workspace.name}" was deleted.`);
  const subject = {
    id: workspace.id,
    organizationId: workspace.organization_id,
    templateId: workspace.template_id,
  };
  const buildId = await inTransaction(db, (trx) => createBuild(trx, subject, input));
  pubsub.publish(topics.jobQueue);
  pubsub.publish(topics.workspace(workspace.id));
  return readBuild(db, buildId, clock.now());
}
