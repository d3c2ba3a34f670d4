import type { TemplateDefinition } from "./definition.ts";
import { type AvailableDrivers, driverProblem, terraformDriver } from "./known-drivers.ts";
import { maxDefinitionBytes } from "./limits.ts";
import { ProblemList, type TemplateProblem } from "./problem.ts";
import { truncate } from "./quote.ts";
import { Reader } from "./reader.ts";
import { template } from "./shape/template-shape.ts";
import { openYaml } from "./yaml-source.ts";

export type ParsedTemplate =
  | { readonly definition: TemplateDefinition }
  /** The problems, at least one, in the order of the file. */
  | { readonly problems: readonly TemplateProblem[] };

/**
 * Parses a `slipway.yaml` and applies every default, or reports all its problems. `available` is the set of drivers
 * with which the server can build; undefined, where it is unknown, accepts any. Never throws. Takes under half a
 * second.
 */
export function parseTemplateDefinition(
  yamlText: string,
  available: AvailableDrivers | undefined,
): ParsedTemplate {
  if (yamlText.length > maxDefinitionBytes) {
    const message = `found ${yamlText.length} characters, wanted at most ${maxDefinitionBytes}`;
    return { problems: [{ line: 1, column: 1, path: "", message }] };
  }
  const source = openYaml(yamlText);
  if (!("text" in source)) return { problems: source };
  const problems = new ProblemList();
  const reader = new Reader(source, problems);
  const definition = template.read(reader.root, reader);
  if (available !== undefined) checkDriver(reader, available);
  if (definition === undefined || problems.count > 0) return { problems: problems.toArray() };
  return { definition };
}

function checkDriver(reader: Reader, available: AvailableDrivers): void {
  const location = reader.child(reader.root, "driver");
  const content = reader.open(location);
  if (
    location === reader.root ||
    content.kind !== "scalar" ||
    typeof content.value !== "string" ||
    content.value === ""
  )
    return;
  const problem =
    content.value === terraformDriver
      ? `the driver \`${terraformDriver}\` reads .tf files, wanted a template without slipway.yaml`
      : driverProblem(truncate(content.value), available);
  if (problem !== undefined) reader.report(location, problem);
}
