import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { nameProblem } from "@slipway/api/contract/name";
import { rootAgents } from "@slipway/api/workspaces/readiness";
import { getWorkspace, getWorkspaceByName } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { Type } from "typebox";

import { type ToolContext, ToolError } from "./tool.ts";

/** The argument that names a workspace. */
export const WorkspaceArgument = Type.String({
  description: "The workspace: its name, owner/name, or ID.",
  minLength: 1,
  maxLength: 128,
});

/** The argument that names a workspace and, where it has several, one of its agents. */
export const AgentArgument = Type.String({
  description:
    "The workspace: its name, owner/name, or ID; followed by .agent if it has several agents.",
  minLength: 1,
  maxLength: 192,
});

const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Finds a workspace that the caller may see, and records it. Throws `ToolError` for a text that names none. */
export async function findWorkspace(text: string, context: ToolContext): Promise<Workspace> {
  const { api, signal } = context;
  const workspace = uuid.test(text)
    ? await api.call(getWorkspace, { params: { workspace: text.toLowerCase() }, signal })
    : await api.call(getWorkspaceByName, { params: readName(text), signal });
  context.concerns({
    id: workspace.id,
    name: workspace.name,
    organizationId: workspace.organization_id,
  });
  return workspace;
}

function readName(text: string): { readonly user: string; readonly name: string } {
  const [first = "", second, ...more] = text.split("/");
  const [user, name] = second === undefined ? ["me", first] : [first, second];
  const problem =
    more.length > 0 ? "it has several slashes" : (nameProblem(user) ?? nameProblem(name));
  if (problem === undefined) return { user, name };
  throw new ToolError(`"${text}" is not a workspace: ${problem}; wanted name, owner/name or an ID`);
}

/** An agent of a running workspace. */
export interface FoundAgent {
  readonly workspace: Workspace;
  readonly agent: WorkspaceAgent;
}

/** Finds an agent by `workspace.agent`, or the only one outside dev containers. Throws `ToolError`. */
export async function findAgent(text: string, context: ToolContext): Promise<FoundAgent> {
  const dot = text.indexOf(".");
  const [reference, wanted] =
    dot === -1 ? [text, undefined] : [text.slice(0, dot), text.slice(dot + 1)];
  const workspace = await findWorkspace(reference, context);
  const { latest_build: build, owner_name, name } = workspace;
  if (build.transition !== "start") {
    throw new ToolError(`workspace ${owner_name}/${name} is ${build.status}: start it first`);
  }
  const all = build.resources.flatMap(({ agents }) => agents);
  const names = all.map((agent) => agent.name).join(", ");
  const [agent, ...more] =
    wanted === undefined ? rootAgents(build) : all.filter((one) => one.name === wanted);
  if (agent === undefined) {
    throw new ToolError(
      `workspace ${owner_name}/${name} has no agent ${wanted ?? ""}, found: ${names || "none"}`,
    );
  }
  if (more.length === 0) return { workspace, agent };
  throw new ToolError(`workspace ${owner_name}/${name} has several agents: name one of ${names}`);
}
