import { nilUuid, prebuildsUserId } from "@slipway/api";
import {
  mayFailToRender,
  type NamedValue,
  type TemplateDefinition,
  TemplateFormatError,
} from "@slipway/template";

import { invalidField } from "../../platform/errors/errors.ts";
import { renderAgents, type RenderContext } from "./build-context.ts";

/**
 * Throws `Invalid` for a build whose agents cannot be rendered from its values: they would name an invalid machine, or
 * run a user's choice as code. The build itself would fail, so nothing is changed.
 */
export function requireRenderable(context: RenderContext, parameters: readonly NamedValue[]): void {
  if (!mayFailToRender(context.definition)) return;
  try {
    renderAgents(context, parameters);
  } catch (error) {
    if (!(error instanceof TemplateFormatError)) throw error;
    throw invalidField(fieldOf[error.fault], error.message);
  }
}

const fieldOf = { version: "template_version_id", values: "rich_parameter_values" } as const;

/** Returns the context of a prebuild that does not exist yet, for the same check. */
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
