import type {
  AgentDefinition,
  IdentityDefinition,
  NamedValue,
  TemplateDefinition,
} from "./definition.ts";
import { instanceIdWanted, isInstanceId } from "./instance-id.ts";
import { TemplateFormatError } from "./template-format-error.ts";
import { type ExpressionName, parseTemplateText } from "./template-text.ts";

/** What a build puts in the place of `${{ … }}`. */
export interface RenderValues {
  /** Of every parameter of the template, as `resolveParameters` gives them. */
  readonly parameters: readonly NamedValue[];
  readonly owner: {
    readonly id: string;
    readonly username: string;
    readonly name: string;
    readonly email: string;
  };
  readonly workspace: { readonly id: string; readonly name: string };
  readonly template: { readonly name: string; readonly version: string };
}

/** The agents of one build: no text of theirs holds an expression any more. */
export type RenderedAgents = readonly AgentDefinition[];

/**
 * Replaces the expressions in directories, environment values, commands, addresses, display names and machines of each agent. Values
 * go in as they are and are not looked at again: where a shell reads them, hand them over by `env`.
 * Throws `TemplateFormatError` for an expression or a parameter without a value, and for what cannot name a machine.
 */
export function renderDefinition(
  definition: TemplateDefinition,
  values: RenderValues,
): RenderedAgents {
  const parameters = new Map(values.parameters.map(({ name, value }) => [name, value]));
  return definition.agents.map((agent) =>
    renderAgent(agent, rendererFor(agent.name, parameters, values)),
  );
}

type Render = (text: string) => string;

function rendererFor(
  agentName: string,
  parameters: ReadonlyMap<string, string>,
  values: RenderValues,
): Render {
  const names: Readonly<Record<ExpressionName, string>> = {
    "owner.id": values.owner.id,
    "owner.username": values.owner.username,
    "owner.name": values.owner.name,
    "owner.email": values.owner.email,
    "workspace.id": values.workspace.id,
    "workspace.name": values.workspace.name,
    "template.name": values.template.name,
    "template.version": values.template.version,
    "agent.name": agentName,
  };
  return (text) => {
    const { parts, problems } = parseTemplateText(text, (name) => parameters.has(name));
    const problem = problems[0];
    if (problem !== undefined)
      throw new TemplateFormatError(`cannot render agent ${agentName}: ${problem.message}`);
    return parts
      .map((part) => {
        if (part.kind === "literal") return part.text;
        return part.kind === "name" ? names[part.name] : (parameters.get(part.name) ?? "");
      })
      .join("");
  };
}

function renderAgent(agent: AgentDefinition, render: Render): AgentDefinition {
  return {
    ...agent,
    directory: render(agent.directory),
    env: Object.fromEntries(
      Object.entries(agent.env).map(([name, value]) => [name, render(value)]),
    ),
    scripts: agent.scripts.map((script) => ({
      ...script,
      displayName: render(script.displayName),
      run: render(script.run),
    })),
    metadata: agent.metadata.map((one) => ({
      ...one,
      displayName: render(one.displayName),
      run: render(one.run),
    })),
    apps: agent.apps.map((app) => ({
      ...app,
      displayName: render(app.displayName),
      url: render(app.url),
      command: render(app.command),
      health: app.health === undefined ? undefined : { ...app.health, url: render(app.health.url) },
    })),
    identity: agent.identity && renderIdentity(agent.name, agent.identity, render),
  };
}

function renderIdentity(
  agentName: string,
  { auth, instanceId }: IdentityDefinition,
  render: Render,
): IdentityDefinition {
  const rendered = render(instanceId);
  if (isInstanceId(rendered)) return { auth, instanceId: rendered };
  const found = JSON.stringify(rendered.length > 60 ? `${rendered.slice(0, 60)}…` : rendered);
  throw new TemplateFormatError(
    `agent ${agentName}: found the instance_id ${found}, wanted ${instanceIdWanted}`,
  );
}
