import type { TemplateDefinition } from "./definition.ts";
import {
  maxAgents,
  maxApps,
  maxDevContainers,
  maxEnv,
  maxExternalAuth,
  maxMetadata,
  maxOptions,
  maxParameters,
  maxPresets,
  maxRenderedLength,
  maxScripts,
  maxTagLength,
  maxTags,
  maxTagValueLength,
  maxWindows,
} from "./limits.ts";
import { storageProblem } from "./parameter-value.ts";
import { regexProblem } from "./regex.ts";

/**
 * Explains why a definition that no `slipway.yaml` describes cannot be stored: it exceeds a limit, or holds text that
 * PostgreSQL does not store. Undefined if it can.
 */
export function definitionProblem(definition: TemplateDefinition): string | undefined {
  const { agents, parameters, presets, externalAuth = [], tags = [] } = definition;
  const counts: readonly (readonly [string, number, number])[] = [
    ["agents", agents.length, maxAgents],
    ["parameters", parameters.length, maxParameters],
    ["presets", presets.length, maxPresets],
    ["external auth providers", externalAuth.length, maxExternalAuth],
    ["tags", tags.length, maxTags],
    ...parameters.map(
      ({ name, options }) => [`options of ${name}`, options.length, maxOptions] as const,
    ),
    ...presets.map(
      ({ name, prebuilds }) =>
        [`windows of ${name}`, prebuilds?.schedule?.windows.length ?? 0, maxWindows] as const,
    ),
    ...agents.flatMap(
      ({ name, scripts, metadata, apps, env, devContainers = [] }) =>
        [
          [`scripts of ${name}`, scripts.length, maxScripts],
          [`metadata of ${name}`, metadata.length, maxMetadata],
          [`apps of ${name}`, apps.length, maxApps],
          [`variables of ${name}`, Object.keys(env).length, maxEnv],
          [`dev containers of ${name}`, devContainers.length, maxDevContainers],
        ] as const,
    ),
  ];
  const excess = counts.find(([, found, limit]) => found > limit);
  if (excess !== undefined) return `found ${excess[1]} ${excess[0]}, wanted at most ${excess[2]}`;
  return (
    repeatedProblem(definition) ??
    tagsProblem(definition) ??
    regexesProblem(definition) ??
    textProblem(definition)
  );
}

/** Explains which name is used twice. */
function repeatedProblem({
  parameters,
  presets,
  tags = [],
}: TemplateDefinition): string | undefined {
  const repeated = (names: readonly string[]): string | undefined =>
    names.find((name, index) => names.indexOf(name) !== index);
  const parameter = repeated(parameters.map(({ name }) => name));
  if (parameter !== undefined) return `found a second parameter ${JSON.stringify(parameter)}`;
  const tag = repeated(tags.map(({ name }) => name));
  if (tag !== undefined) return `found a second tag ${JSON.stringify(tag)}`;
  const preset = repeated(presets.map(({ name }) => name));
  return preset === undefined ? undefined : `found a second preset ${JSON.stringify(preset)}`;
}

/** Explains which tag no provisioner can have. */
function tagsProblem({ tags = [], parameters }: TemplateDefinition): string | undefined {
  for (const { name, value, parameter } of tags) {
    const tag = `the tag ${JSON.stringify(name.slice(0, maxTagLength))}`;
    if (name === "") return "found a tag without a name, wanted 1 to 128 characters";
    if (name === "scope" || name === "owner") {
      return `found ${tag}: provisioners take the jobs of an organization, wanted tags of other names`;
    }
    if (name.length > maxTagLength || value.length > maxTagValueLength) {
      return `${tag}: found ${name.length} characters with a value of ${value.length}, wanted at most ${maxTagLength} and ${maxTagValueLength}`;
    }
    if (parameter !== undefined && parameters.every((one) => one.name !== parameter)) {
      return `${tag}: found no parameter ${JSON.stringify(parameter)}`;
    }
  }
  return undefined;
}

function regexesProblem({ parameters }: TemplateDefinition): string | undefined {
  for (const { name, validation } of parameters) {
    const problem = validation?.regex === undefined ? undefined : regexProblem(validation.regex);
    if (problem !== undefined) return `parameter ${name}: ${problem}`;
  }
  return undefined;
}

/** Explains why PostgreSQL does not store the texts of a value; undefined if it does. */
export function textProblem(value: object): string | undefined {
  return unstorableProblem(value) ?? storageProblem(JSON.stringify(value), maxRenderedLength);
}

/** Explains which text in a value PostgreSQL does not store, not even escaped in JSON. */
function unstorableProblem(value: unknown): string | undefined {
  if (typeof value === "string") {
    return storageProblem(value, Infinity);
  }
  if (typeof value !== "object" || value === null) return undefined;
  for (const part of Object.entries(value).flat()) {
    const problem = unstorableProblem(part);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
