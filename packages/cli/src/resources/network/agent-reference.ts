import { UsageError } from "../../command/errors.ts";
import { readWorkspaceReference } from "../workspaces/workspace-reference.ts";

/** A reference to an agent of a workspace. */
export interface AgentReference {
  /** A reference to the workspace, as `findWorkspace` takes it. */
  readonly workspace: string;
  /** The name of the agent; undefined for the only one. */
  readonly agent: string | undefined;
}

/** Parts of host names that stand around the reference. */
interface HostAffixes {
  readonly prefix: string | undefined;
  /** Without the dot before it. */
  readonly suffix: string | undefined;
}

/** Reads `[owner/]workspace[.agent]`, with an id in place of the name too. Throws `UsageError` for anything else. */
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
  // Throws for a text that is no reference.
  readWorkspaceReference(workspace);
  return { workspace, agent };
}

function unreadable(text: string, problem: string): UsageError {
  return new UsageError(
    `"${text}" is not a workspace or agent: ${problem}; wanted [owner/]workspace[.agent]`,
  );
}
