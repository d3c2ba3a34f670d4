import type { Queryable } from "../db/database.ts";
import type { KnownUser } from "../http/caller.ts";
import { readUuid } from "../fields/uuid.ts";
import {
  findTemplateByName,
  findTemplateOfPreset,
  findTemplateOfVersion,
  findUserByName,
  findWorkspaceByName,
  findWorkspaceOfAgent,
  findWorkspaceOfBuild,
} from "./limit-queries.ts";
import type { Naming } from "./route-things.ts";

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
  naming: Exclude<Naming, "nothing">,
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
