import type { JsonSchema } from "./shape/shape.ts";
import { template } from "./shape/template-shape.ts";

/**
 * Returns the JSON schema (draft 7, which editors support best) of `slipway.yaml`. `slipway.schema.json` next to this
 * file contains it for editors, and docs/template-reference.md is generated from it; tests compare them.
 */
export function templateJsonSchema(): JsonSchema {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Slipway template",
    description: "The template of a workspace: slipway.yaml.",
    ...template.schema,
  };
}
