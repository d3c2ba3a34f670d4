/** A stored definition or its values contradict each other: what `parseTemplateDefinition` would have refused. */
export class TemplateFormatError extends Error {
  readonly code = "template_format";
  override readonly name = "TemplateFormatError";
}
