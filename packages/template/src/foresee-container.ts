import { type ContainerValues, containerValues, quantityProblem } from "./container-values.ts";
import type { AgentDefinition, ParameterDefinition, TemplateDefinition } from "./definition.ts";
import { TemplateFormatError } from "./render-definition.ts";
import { type ExpressionPart, parseTemplateText } from "./template-text.ts";

/**
 * Returns the container of an agent as far as its template alone tells, with the defaults of parameters. Texts that also
 * depend on something else are empty, or absent from their map or list. Throws `TemplateFormatError` for a default that
 * makes a value wrong.
 */
export function foreseeContainer(
  { parameters }: Pick<TemplateDefinition, "parameters">,
  { name, container }: Pick<AgentDefinition, "name" | "container">,
): ContainerValues | undefined {
  if (container === undefined) return undefined;
  const read = (text: string): string => foresee(text, parameters) ?? "";
  const foreseen = {
    ...container,
    image: read(container.image),
    build: container.build && {
      ...container.build,
      args: foreseeAll(container.build.args, parameters),
    },
    command: container.command.map(read),
    environment: foreseeAll(container.environment, parameters),
    cpus: read(container.cpus),
    memory: read(container.memory),
    storage: read(container.storage),
  };
  const problem = quantityProblem(foreseen);
  if (problem === undefined) return containerValues(foreseen);
  const { field, message } = problem;
  throw new TemplateFormatError(`agent ${name}, ${field}, with the defaults: ${message}`);
}

function foreseeAll(
  texts: Readonly<Record<string, string>>,
  parameters: readonly ParameterDefinition[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(texts).flatMap(([name, text]) => {
      const foreseen = foresee(text, parameters);
      return foreseen === undefined ? [] : [[name, foreseen]];
    }),
  );
}

/** Replaces the expressions of a text; undefined if one of them has no value yet. */
function foresee(text: string, parameters: readonly ParameterDefinition[]): string | undefined {
  const defaults = new Map(parameters.map((one) => [one.name, one.default]));
  const { parts } = parseTemplateText(text, new Set(defaults.keys()));
  const valueOf = (part: ExpressionPart): string | undefined =>
    part.kind === "parameter" ? defaults.get(part.name) : undefined;
  const texts = parts.map((part) => (part.kind === "literal" ? part.text : valueOf(part)));
  return texts.includes(undefined) ? undefined : texts.join("");
}
