import { parseTemplateDefinition, type TemplateProblem } from "@slipway/template";

/**
 * Checks a definition as the server does at its import, but for the drivers: only the server knows which it has. Loaded
 * with the editor, because the parser is large.
 */
export function checkDefinition(text: string): readonly TemplateProblem[] {
  const parsed = parseTemplateDefinition(text, undefined);
  return "problems" in parsed ? parsed.problems : [];
}
