import {
  type BuildParameter,
  listTemplateVersionParameters,
  type Preset,
  type Template,
  type TemplateVersionParameter,
} from "@slipway/api";

import { UsageError } from "../../command/errors.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { checkParameterNames } from "../parameters/assignment.ts";
import type { Asking } from "./choose-template.ts";

/**
 * The values to send: those given, and those of parameters that must have one and have none yet, which are asked for.
 * Throws `UsageError` for a name that the template does not have, and for what cannot be asked.
 */
export async function chooseParameters(
  { active_version_id }: Pick<Template, "active_version_id">,
  preset: Preset | undefined,
  given: readonly BuildParameter[],
  { client, terminal, signal }: Asking,
): Promise<BuildParameter[]> {
  const params = { version: active_version_id };
  const known = await client.call(listTemplateVersionParameters, { params, signal });
  checkParameterNames(
    given,
    known.map(({ name }) => name),
  );
  const set = new Set([
    ...given.map(({ name }) => name),
    ...(preset?.Parameters ?? []).map(({ Name }) => Name),
  ]);
  const missing = known.filter(({ name, required }) => required && !set.has(name));
  if (missing.length > 0 && !terminal.interactive) {
    const flags = missing.map(({ name }) => `--parameter ${name}=…`).join(" ");
    throw new UsageError(`the template needs values that are not given, wanted ${flags}`);
  }
  const asked: BuildParameter[] = [];
  for (const parameter of missing) {
    asked.push({ name: parameter.name, value: await ask(parameter, terminal) });
  }
  return [...given, ...asked];
}

async function ask(parameter: TemplateVersionParameter, { prompts }: Terminal): Promise<string> {
  const { name, display_name, description_plaintext, options } = parameter;
  const title = display_name === undefined || display_name === "" ? name : display_name;
  const message = description_plaintext === "" ? title : `${title}: ${description_plaintext}`;
  if (options.length === 0) return prompts.text({ message });
  const choices = options.map((option) => ({
    value: option.value,
    label: option.name,
    hint: option.description,
  }));
  return prompts.select(message, choices);
}
