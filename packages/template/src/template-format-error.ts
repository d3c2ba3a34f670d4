/**
 * The reason that a definition cannot be rendered. `fault` tells what to change: the template's version, or the values
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
