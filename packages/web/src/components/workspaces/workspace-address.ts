import type { Workspace } from "@slipway/api/workspaces/workspace";

/** The workspace of an address, and the agent that programs add to its name. */
export interface WorkspaceAddress {
  readonly name: string;
  readonly agent: string | undefined;
}

/** Reads `demo` or `demo.main`, as stock clients print it. */
export function parseWorkspaceAddress(text: string): WorkspaceAddress {
  const [name = "", ...rest] = text.split(".");
  return { name, agent: rest.length === 0 ? undefined : rest.join(".") };
}

/** Returns the address of the page of a workspace, or of one of its agents. */
export function workspacePath(
  { owner_name: owner, name }: Pick<Workspace, "owner_name" | "name">,
  agent?: string,
): string {
  const last = agent === undefined ? name : `${name}.${agent}`;
  return `/@${encodeURIComponent(owner)}/${encodeURIComponent(last)}`;
}
