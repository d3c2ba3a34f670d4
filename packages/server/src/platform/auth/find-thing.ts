import { sql } from "kysely";

import type { Queryable } from "../db/database.ts";
import { readUuid } from "../fields/uuid.ts";
import type { KnownUser } from "../http/caller.ts";
import type { ReferenceKind } from "./route-things.ts";

/** The parts of a request that may name things, after they were checked against the route's schemas. */
export interface RequestParts {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

interface Name {
  readonly text: string;
  /** The request that contains the text. */
  readonly request: RequestParts;
}

/** Resolves to the id of the thing that a text names; undefined if there is none. */
export async function findThing(
  db: Queryable,
  user: Pick<KnownUser, "id">,
  naming: Exclude<ReferenceKind, "nothing">,
  { text, request }: Name,
): Promise<string | undefined> {
  const id = readUuid(text);
  switch (naming) {
    case "workspace":
    case "file":
    case "organization":
      return id;
    case "template":
      return id ?? findTemplateByName(db, parameter(request, "organization"), text);
    case "user":
      return text === "me" ? user.id : (id ?? findUserByName(db, text));
    case "workspace name":
      return findWorkspaceOf(db, user, parameter(request, "user"), text);
    case "agent":
      return id && findWorkspaceOfAgent(db, id);
    case "build":
      return id && findWorkspaceOfBuild(db, id);
    case "version":
      return id && findTemplateOfVersion(db, id);
    case "preset":
      return id && findTemplateOfPreset(db, id);
  }
}

function findWorkspaceOf(
  db: Queryable,
  user: Pick<KnownUser, "id">,
  owner: string,
  name: string,
): Promise<string | undefined> {
  const ownerId = owner === "me" ? user.id : readUuid(owner);
  return findWorkspaceByName(db, ownerId === undefined ? { ownerName: owner } : { ownerId }, name);
}

function parameter({ params }: RequestParts, name: string): string {
  const value: unknown =
    typeof params === "object" && params !== null ? Reflect.get(params, name) : "";
  return typeof value === "string" ? value : "";
}

async function findWorkspaceOfAgent(db: Queryable, agentId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom("workspace_agents as agent")
    .innerJoin("workspace_builds as build", "build.id", "agent.workspace_build_id")
    .where("agent.id", "=", agentId)
    .select("build.workspace_id")
    .executeTakeFirst();
  return row?.workspace_id;
}

async function findWorkspaceOfBuild(db: Queryable, buildId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom("workspace_builds")
    .where("id", "=", buildId)
    .select("workspace_id")
    .executeTakeFirst();
  return row?.workspace_id;
}

/** Finds the live workspace of that name; its owner is given by id or name. */
async function findWorkspaceByName(
  db: Queryable,
  owner: { readonly ownerId?: string | undefined; readonly ownerName?: string },
  name: string,
): Promise<string | undefined> {
  const row = await db
    .selectFrom("workspaces as workspace")
    .innerJoin("users as owner", "owner.id", "workspace.owner_id")
    .where("workspace.deleted", "=", sql.lit(false))
    .where(sql`lower(workspace.name)`, "=", name.toLowerCase())
    .where((eb) =>
      owner.ownerName === undefined
        ? eb("owner.id", "=", owner.ownerId ?? null)
        : eb(sql`lower(owner.username)`, "=", owner.ownerName.toLowerCase()),
    )
    .select("workspace.id")
    .executeTakeFirst();
  return row?.id;
}

async function findTemplateOfVersion(
  db: Queryable,
  versionId: string,
): Promise<string | undefined> {
  const row = await db
    .selectFrom("template_versions")
    .where("id", "=", versionId)
    .select("template_id")
    .executeTakeFirst();
  return row?.template_id ?? undefined;
}

async function findTemplateOfPreset(db: Queryable, presetId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom("template_version_presets as preset")
    .innerJoin("template_versions as version", "version.id", "preset.template_version_id")
    .where("preset.id", "=", presetId)
    .select("version.template_id")
    .executeTakeFirst();
  return row?.template_id ?? undefined;
}

/** Finds the live template of that name in an organization, given by its id, its name or the word `default`. */
async function findTemplateByName(
  db: Queryable,
  organization: string,
  name: string,
): Promise<string | undefined> {
  const row = await db
    .selectFrom("templates as template")
    .innerJoin("organizations as place", "place.id", "template.organization_id")
    .where("template.deleted", "=", sql.lit(false))
    .where(sql`lower(template.name)`, "=", name.toLowerCase())
    .where(
      sql<boolean>`case ${organization} when 'default' then place.is_default
        else lower(${organization}) in (place.id::text, lower(place.name)) end`,
    )
    .select("template.id")
    .executeTakeFirst();
  return row?.id;
}

async function findUserByName(db: Queryable, name: string): Promise<string | undefined> {
  const row = await db
    .selectFrom("users")
    .where("deleted", "=", sql.lit(false))
    .where(sql`lower(username)`, "=", name.toLowerCase())
    .select("id")
    .executeTakeFirst();
  return row?.id;
}
