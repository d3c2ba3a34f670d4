import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { Workspace } from "@slipway/api/workspaces/workspace";

import { CommandError, UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { allAgents, rootAgents } from "../builds/agents.ts";
import { fullName, readWorkspaceReference } from "../workspaces/workspace-reference.ts";

/** The argument that names an agent of a workspace. */
export const agentArgument = {
  summary: "[owner/]workspace[.agent]; the agent can be left out if there is only one",
  required: true,
  completion: "workspace",
} as const;

/** A reference to an agent of a workspace. */
export interface AgentReference {
  /** A reference to the workspace, in the form that `findWorkspace` accepts. */
  readonly workspace: string;
  /** The name of the agent; undefined for the only one. */
  readonly agent: string | undefined;
}

/** Parts of host names around the reference. */
interface HostAffixes {
  readonly prefix: string | undefined;
  /** Without the dot before it. */
  readonly suffix: string | undefined;
}

/** Reads `[owner/]workspace[.agent]`, also with an id in place of the name. Throws `UsageError` for anything else. */
export function readAgentReference(text: string): AgentReference {
  const dot = text.indexOf(".");
  if (dot === -1) return checked(text, text, undefined);
  return checked(text, text.slice(0, dot), text.slice(dot + 1));
}

/**
 * Reads the host of an SSH command line: `[owner/]workspace[.agent]`, `[owner--]workspace[--agent]` or
 * `agent.workspace.owner`, after the prefix or suffix of host names (docs/protocol/clients.md §1.1). Throws `UsageError`
 * for anything else.
 */
export function readHost(text: string, affixes: HostAffixes): AgentReference {
  const host = withoutAffixes(text, affixes);
  const [first = "", second, third, ...more] = host.split(/\/|\.|--/);
  if (second === undefined) return checked(text, first, undefined);
  if (third === undefined) {
    const isAgent = host.charAt(first.length) === ".";
    return isAgent ? checked(text, first, second) : checked(text, `${first}/${second}`, undefined);
  }
  if (more.length > 0) throw unreadable(text, `it has ${more.length + 3} parts`);
  const isDotted = host === `${first}.${second}.${third}`;
  return isDotted
    ? checked(text, `${third}/${second}`, first)
    : checked(text, `${first}/${second}`, third);
}

function withoutAffixes(text: string, { prefix, suffix }: HostAffixes): string {
  if (prefix !== undefined && prefix !== "" && text.startsWith(prefix)) {
    return text.slice(prefix.length);
  }
  const ending = suffix === undefined || suffix === "" ? undefined : `.${suffix}`;
  return ending !== undefined && text.endsWith(ending) ? text.slice(0, -ending.length) : text;
}

function checked(text: string, workspace: string, agent: string | undefined): AgentReference {
  if (agent !== undefined && !/^[\w-]+$/.test(agent)) {
    throw unreadable(text, `"${agent}" is not the name of an agent`);
  }
  // Throws for a text that is not a reference.
  readWorkspaceReference(workspace);
  return { workspace, agent };
}

function unreadable(text: string, problem: string): UsageError {
  return new UsageError(
    `"${text}" is not a workspace or agent: ${problem}; wanted [owner/]workspace[.agent]`,
  );
}

/**
 * Finds the agent of a running workspace by name; without a name, the only one outside dev containers. Throws
 * `CommandError` if there is none, `UsageError` if there are several.
 */
export function chooseAgent(
  workspace: Pick<Workspace, "owner_name" | "name" | "latest_build">,
  wanted: string | undefined,
): WorkspaceAgent {
  const all = allAgents(workspace.latest_build);
  const name = fullName(workspace);
  if (all.length === 0) throw notFound(`workspace ${name} has no agents`);
  const names = all.map((agent) => agent.name).join(", ");
  if (wanted !== undefined) {
    const found = all.find((agent) => agent.name === wanted);
    if (found !== undefined) return found;
    throw notFound(`workspace ${name} has no agent "${wanted}", wanted one of ${names}`);
  }
  const roots = rootAgents(workspace.latest_build);
  const [only = all[0], ...more] = roots;
  if (only !== undefined && more.length === 0) return only;
  throw new UsageError(
    `workspace ${name} has several agents: pass ${roots.map((agent) => `${name}.${agent.name}`).join(" or ")}`,
  );
}

function notFound(text: string): CommandError {
  return new CommandError(text, { exitCode: exitCodes.notFound });
}
