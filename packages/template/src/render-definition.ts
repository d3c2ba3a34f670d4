import { containerProblem } from "./container-values.ts";
import type {
  AgentDefinition,
  AppDefinition,
  ContainerDefinition,
  DevContainerDefinition,
  IdentityDefinition,
  NamedValue,
  TemplateDefinition,
} from "./definition.ts";
import { instanceIdWanted, isInstanceId, maxRenderedLength } from "./limits.ts";
import { quote } from "./quote.ts";
import { isShellWord, shellProblems, startsShell } from "./shell-text.ts";
import {
  type ExpressionName,
  type ExpressionPart,
  hasExpression,
  parseTemplateText,
  type TextPart,
} from "./template-text.ts";
import { appUrlProblem, webUrlProblem } from "./url.ts";

/** The values that a build substitutes for `${{ … }}`. */
export interface RenderValues {
  /** The values of every parameter of the template, as `resolveParameters` returns them. */
  readonly parameters: readonly NamedValue[];
  readonly owner: {
    readonly id: string;
    readonly username: string;
    /** The full name; if it is empty, `owner.name` is the username. */
    readonly name: string;
    readonly email: string;
  };
  readonly workspace: { readonly id: string; readonly name: string };
  readonly template: { readonly name: string; readonly version: string };
}

/** The agents of one build, whose texts contain no more expressions. */
export type RenderedAgents = readonly AgentDefinition[];

/**
 * Replaces the expressions in every text of each agent that may contain them. Values are inserted verbatim and not
 * scanned again. Throws `TemplateFormatError` for an expression or a parameter without a value, for a value that
 * would become code in a shell or a browser (even in definitions stored when push was less strict), for an invalid
 * machine name, and when the total length of the texts exceeds its limit.
 */
export function renderDefinition(
  definition: TemplateDefinition,
  values: RenderValues,
): RenderedAgents {
  const parameters = new Map(values.parameters.map(({ name, value }) => [name, value]));
  let length = 0;
  const count = (added: number): void => {
    length += added;
    if (length <= maxRenderedLength) return;
    throw new TemplateFormatError(
      `with these values the texts of the template exceed ${maxRenderedLength} characters`,
    );
  };
  return definition.agents.map((agent) =>
    renderAgent(agent, rendererFor(agent.name, parameters, values, count)),
  );
}

/**
 * Reports whether rendering depends on values that users choose, in which case refusing the request is better than
 * failing its build.
 */
export function mayFailToRender({ agents }: Pick<TemplateDefinition, "agents">): boolean {
  return agents.some(
    ({ identity, container, devContainers = [], apps, scripts, metadata }) =>
      identity !== undefined ||
      container !== undefined ||
      devContainers.some(({ workspaceFolder }) => hasExpression(workspaceFolder)) ||
      apps.some(({ url, health }) => hasExpression(url) || hasExpression(health?.url ?? "")) ||
      [...scripts, ...metadata].some(({ run }) => hasExpression(run)) ||
      apps.some(({ command }) => hasExpression(command)),
  );
}

/** Renders the texts of an agent; `where` names the text in errors. */
interface Renderer {
  readonly plain: (text: string, where: string) => string;
  /** Renders a text that a shell runs. */
  readonly shell: (text: string, where: string) => string;
}

function rendererFor(
  agentName: string,
  parameters: ReadonlyMap<string, string>,
  values: RenderValues,
  count: (length: number) => void,
): Renderer {
  const names: Readonly<Record<ExpressionName, string>> = {
    "owner.id": values.owner.id,
    "owner.username": values.owner.username,
    // Many users have no full name, and Git refuses an empty author.
    "owner.name": values.owner.name.trim() || values.owner.username,
    "owner.email": values.owner.email,
    "workspace.id": values.workspace.id,
    "workspace.name": values.workspace.name,
    "workspace.port": String(workspacePort(values.workspace.id)),
    "template.name": values.template.name,
    "template.version": values.template.version,
    "agent.name": agentName,
  };
  const valueOf = (part: ExpressionPart): string =>
    part.kind === "name" ? names[part.name] : (parameters.get(part.name) ?? "");
  const parameterNames = new Set(parameters.keys());
  const partsOf = (text: string, where: string): readonly TextPart[] => {
    const { parts, problems } = parseTemplateText(text, parameterNames);
    const [problem] = problems;
    if (problem === undefined) return parts;
    throw new TemplateFormatError(`agent ${agentName}, ${where}: ${problem.message}`);
  };
  const join = (parts: readonly TextPart[]): string => {
    const texts = parts.map((part) => (part.kind === "literal" ? part.text : valueOf(part)));
    count(texts.reduce((sum, { length }) => sum + length, 0));
    return texts.join("");
  };
  return {
    plain: (text, where) => join(partsOf(text, where)),
    shell: (text, where) => {
      const parts = partsOf(text, where);
      requireShellParts(parts, valueOf, `agent ${agentName}, ${where}`);
      return join(parts);
    },
  };
}

/** The range of `workspace.port`: below the ports that systems pick for outgoing connections. */
const minPort = 20_000;
const maxPort = 32_767;

/** Returns the port of a workspace: its id picks one of 12,768, so it stays the same as long as the workspace lives. */
function workspacePort(id: string): number {
  // FNV-1a, 32 bits.
  let hash = 0x811c9dc5;
  for (const character of id) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return minPort + (hash % (maxPort - minPort + 1));
}

/**
 * Throws for parts that push now refuses: versions stored earlier may still have them, and so may names from before
 * they were validated.
 */
function requireShellParts(
  parts: readonly TextPart[],
  valueOf: (part: ExpressionPart) => string,
  where: string,
): void {
  const [problem] = shellProblems(parts);
  if (problem !== undefined) {
    throw new TemplateFormatError(
      `${where}: ${problem.message}; push a new version of the template`,
    );
  }
  for (const part of parts) {
    if (part.kind === "literal" || isShellWord(valueOf(part))) continue;
    throw new TemplateFormatError(
      `${where}: found ${JSON.stringify(valueOf(part))} as ${part.name} in text that a shell runs, wanted letters, digits, dots, dashes and underscores, beginning with a letter or digit`,
      "values",
    );
  }
}

function renderAgent(agent: AgentDefinition, { plain, shell }: Renderer): AgentDefinition {
  return {
    ...agent,
    directory: plain(agent.directory, "directory"),
    env: renderAll(agent.env, (text, name) => plain(text, `env ${name}`)),
    scripts: agent.scripts.map((script) => ({
      ...script,
      displayName: plain(script.displayName, `script ${script.key}`),
      run: shell(script.run, `script ${script.key}`),
    })),
    metadata: agent.metadata.map((one) => ({
      ...one,
      displayName: plain(one.displayName, `metadata ${one.key}`),
      run: shell(one.run, `metadata ${one.key}`),
    })),
    apps: agent.apps.map((app) => renderApp(app, { plain, shell }, agent.name)),
    identity: agent.identity && renderIdentity(agent.name, agent.identity, plain),
    container: agent.container && renderContainer(agent.name, agent.container, { plain, shell }),
    devContainers: agent.devContainers?.map((one) => renderDevContainer(agent.name, one, plain)),
  };
}

function renderApp(
  app: AppDefinition,
  { plain, shell }: Renderer,
  agentName: string,
): AppDefinition {
  const where = `app ${app.slug}`;
  const rendered = {
    ...app,
    displayName: plain(app.displayName, where),
    url: plain(app.url, where),
    command: shell(app.command, where),
    health: app.health && { ...app.health, url: plain(app.health.url, where) },
  };
  // A value may have turned the URL into one that push could not foresee.
  const problem = hasExpression(app.url) ? appUrlProblem(rendered) : undefined;
  const healthProblem =
    app.health !== undefined && hasExpression(app.health.url)
      ? webUrlProblem(rendered.health?.url ?? "")
      : undefined;
  const found = problem ?? healthProblem;
  if (found === undefined) return rendered;
  throw new TemplateFormatError(`agent ${agentName}, ${where}: ${found}`, "values");
}

function renderIdentity(
  agentName: string,
  { auth, instanceId }: IdentityDefinition,
  plain: Renderer["plain"],
): IdentityDefinition {
  const rendered = plain(instanceId, "instance_id");
  if (isInstanceId(rendered)) return { auth, instanceId: rendered };
  throw new TemplateFormatError(
    `agent ${agentName}: found the instance_id ${quote(rendered)}, wanted ${instanceIdWanted}`,
    "values",
  );
}

function renderDevContainer(
  agentName: string,
  devContainer: DevContainerDefinition,
  plain: Renderer["plain"],
): DevContainerDefinition {
  const where = `dev container ${devContainer.name}`;
  const workspaceFolder = plain(devContainer.workspaceFolder, where);
  if (workspaceFolder === "") {
    throw new TemplateFormatError(
      `agent ${agentName}, ${where}: found an empty workspace_folder, wanted a directory`,
      "values",
    );
  }
  return { ...devContainer, workspaceFolder, configPath: plain(devContainer.configPath, where) };
}

function renderContainer(
  agentName: string,
  container: ContainerDefinition,
  { plain, shell }: Renderer,
): ContainerDefinition {
  const [program = ""] = container.command;
  const word = startsShell([plain(program, "command")]) ? shell : plain;
  const rendered = {
    ...container,
    image: plain(container.image, "image"),
    build: container.build && {
      ...container.build,
      args: renderAll(container.build.args, (text, name) => plain(text, `build arg ${name}`)),
    },
    command: container.command.map((text) => word(text, "command")),
    environment: renderAll(container.environment, (text, name) =>
      plain(text, `environment ${name}`),
    ),
    cpus: plain(container.cpus, "cpus"),
    memory: plain(container.memory, "memory"),
    storage: plain(container.storage, "storage"),
  };
  const problem = containerProblem(rendered);
  if (problem === undefined) return rendered;
  const { field, message } = problem;
  throw new TemplateFormatError(`agent ${agentName}, ${field}: ${message}`, "values");
}

/** Renders the values of a map. */
function renderAll(
  texts: Readonly<Record<string, string>>,
  render: (text: string, name: string) => string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, render(text, name)]),
  );
}

/**
 * The reason why a definition cannot be rendered. `fault` tells what to change: the template's version or the values
 * given to it.
 */
export class TemplateFormatError extends Error {
  readonly code = "template_format";
  override readonly name = "TemplateFormatError";
  readonly fault: "version" | "values";

  constructor(message: string, fault: "version" | "values" = "version") {
    super(message);
    this.fault = fault;
  }
}
