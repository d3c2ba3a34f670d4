import { type NamedValue, renderDefinition, type RenderedAgents } from "@slipway/template";

import type { BuildContext } from "./context-queries.ts";

/** Renders the agents of a build from its template, for its owner. */
export function renderAgents(
  context: RenderContext,
  parameters: readonly NamedValue[],
): RenderedAgents {
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
