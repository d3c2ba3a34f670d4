import type { JsonSchema } from "./shape/shape.ts";
import { template } from "./shape/template-shape.ts";

/**
 * The JSON schema (draft 7, which editors know best) of `slipway.yaml`. `slipway.schema.json` beside this file holds it
 * for editors; a test compares the two.
 */
export function templateJsonSchema(): JsonSchema {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Slipway template",
    description: "slipway.yaml: what a workspace is made from.",
    ...template.schema,
  };
}
