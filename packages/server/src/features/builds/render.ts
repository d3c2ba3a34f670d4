import { capabilitiesOf } from "@slipway/drivers";
import {
  mayFailToRender,
  type NamedValue,
  renderDefinition,
  type RenderedAgents,
  TemplateFormatError,
} from "@slipway/template";

import { invalidField } from "../../platform/errors/errors.ts";
import type { BuildContext } from "./build-context.ts";

/**
 * Renders the agents of a build from its template, for its owner. A driver that reads templates itself has filled in all
 * values already: `${{` in their texts has no meaning.
 */
export function renderAgents(
  context: RenderContext,
  parameters: readonly NamedValue[],
): RenderedAgents {
  const { agents, driver } = context.definition;
  if (capabilitiesOf(driver).readsTemplates) return agents;
  return renderDefinition(context.definition, {
    parameters,
    owner: {
      id: context.owner_id,
      username: context.owner_username,
      name: context.owner_name,
      email: context.owner_email,
    },
    workspace: { id: context.workspace_id, name: context.workspace_name },
    template: { name: context.template_name, version: context.template_version_name },
  });
}

/** The parts of a build that its agents are rendered from. */
export type RenderContext = Pick<
  BuildContext,
  | "definition"
  | "owner_id"
  | "owner_username"
  | "owner_name"
  | "owner_email"
  | "workspace_id"
  | "workspace_name"
  | "template_name"
  | "template_version_name"
>;

/**
 * Renders the agents of a build that is not queued yet. Throws `Invalid` if its values do not render: they would name an
 * invalid machine, or run a user's choice as code. The build itself would fail, so nothing is changed.
 */
export function renderOrRefuse(
  context: RenderContext,
  parameters: readonly NamedValue[],
): RenderedAgents {
  try {
    return renderAgents(context, parameters);
  } catch (error) {
    if (!(error instanceof TemplateFormatError)) throw error;
    throw invalidField(fieldOf[error.fault], error.message);
  }
}

const fieldOf = { version: "template_version_id", values: "rich_parameter_values" } as const;

/** Throws what `renderOrRefuse` throws. */
export function requireRenderable(context: RenderContext, parameters: readonly NamedValue[]): void {
  if (mayFailToRender(context.definition)) renderOrRefuse(context, parameters);
}
