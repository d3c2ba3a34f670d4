import { nameProblem } from "@slipway/api/contract/name";
import { getWorkspace, getWorkspaceByName } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { countText, shellWord } from "@slipway/runtime";
import { type ApiClient, ApiError } from "@slipway/sdk/http";

import { UsageError } from "../../command/errors.ts";
import { notFoundError, requireName } from "../../command/not-found.ts";

/** The argument that names one or several workspaces. */
export const workspacesArgument = {
  summary: "name, owner/name or id of a workspace; several are processed in order",
  required: true,
  variadic: true,
  completion: "workspace",
} as const;

/** The argument that names a workspace. */
export const workspaceArgument = {
  summary: "name, owner/name or id of a workspace",
  required: true,
  completion: "workspace",
} as const;

/** A reference to a workspace: its id, or its name with or without its owner. */
type WorkspaceReference =
  | { readonly kind: "id"; readonly id: string }
  | { readonly kind: "name"; readonly owner: string; readonly name: string };

const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Reads `name`, `owner/name` or a UUID (docs/protocol/clients.md §1.1). Throws `UsageError` for anything else. */
export function readWorkspaceReference(text: string): WorkspaceReference {
  if (uuid.test(text)) return { kind: "id", id: text.toLowerCase() };
  const [first = "", second, ...more] = text.split("/");
  const [owner, name] = second === undefined ? ["me", first] : [first, second];
  const problem =
    more.length > 0
      ? `has ${countText(more.length + 1, "slash", "slashes")}`
      : (nameProblem(owner) ?? nameProblem(name));
  if (problem !== undefined) {
    throw new UsageError(
      `"${text}" is not a workspace: ${problem}; wanted name, owner/name or an id`,
    );
  }
  return { kind: "name", owner, name };
}

/** Finds the referenced workspace. Throws `CommandError` if there is none, and for another one. */
export async function findWorkspace(
  client: ApiClient,
  text: string,
  signal: AbortSignal,
): Promise<Workspace> {
  const reference = readWorkspaceReference(text);
  const workspace = await askFor(reference, text, client, signal);
  if (reference.kind === "id") requireName("workspace", workspace.id, reference.id);
  else {
    requireName("workspace", workspace.name, reference.name);
    if (reference.owner !== "me") requireName("owner", workspace.owner_name, reference.owner);
  }
  return workspace;
}

async function askFor(
  reference: WorkspaceReference,
  text: string,
  client: ApiClient,
  signal: AbortSignal,
): Promise<Workspace> {
  try {
    if (reference.kind === "id") {
      return await client.call(getWorkspace, { params: { workspace: reference.id }, signal });
    }
    const params = { user: reference.owner, name: reference.name };
    return await client.call(getWorkspaceByName, { params, signal });
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
    throw notFoundError(`workspace ${text}`, "list your workspaces with: slipway list");
  }
}

/** Returns `owner/name`, a reference that works for every user, as a word of a command that people may copy. */
export function fullName({ owner_name, name }: Pick<Workspace, "owner_name" | "name">): string {
  return shellWord(`${owner_name}/${name}`);
}
