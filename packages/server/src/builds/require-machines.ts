import { nilUuid, prebuildsUserId } from "@slipway/api";

import { invalidField } from "../http/errors.ts";
import type { NamedValue, TemplateDefinition } from "../template-format/definition.ts";
import { TemplateFormatError } from "../template-format/template-format-error.ts";
import { renderAgents, type RenderContext } from "./build-context.ts";

/** Whether agents of the template are known by machines, whose names a build must make of its values. */
export function namesMachines({ agents }: Pick<TemplateDefinition, "agents">): boolean {
  return agents.some(({ identity }) => identity !== undefined);
}

/** Throws the 400 of a build that would name what is no machine. The build itself would fail; so nothing is changed. */
export function requireMachines(context: RenderContext, parameters: readonly NamedValue[]): void {
  if (!namesMachines(context.definition)) return;
  try {
    renderAgents(context, parameters);
  } catch (error) {
    if (!(error instanceof TemplateFormatError)) throw error;
    throw invalidField("rich_parameter_values", error.message);
  }
}

/** The context of a prebuild that is not made yet, for the same question. */
export function prebuildContext(definition: TemplateDefinition): RenderContext {
  return {
    definition,
    owner_id: prebuildsUserId,
    owner_username: "prebuilds",
    owner_name: "",
    owner_email: "prebuilds@system",
    workspace_id: nilUuid,
    workspace_name: "prebuild",
    template_name: "template",
    template_version_name: "version",
  };
}
