import {
  type BuildParameter,
  listTemplateVersionParameters,
  type TemplateVersionParameter,
} from "@slipway/api";
import type { ApiClient } from "@slipway/sdk/http";

import { UsageError } from "../../command/errors.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { checkParameterNames } from "./assignment.ts";

interface Asking {
  readonly client: ApiClient;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** Values that there are already. */
export interface KnownValues {
  /** What the command line says. */
  readonly given: readonly BuildParameter[];
  /** What a preset sets. */
  readonly preset: readonly BuildParameter[];
  /** What the workspace has; none for a new one. */
  readonly kept: readonly BuildParameter[];
}

/**
 * The values to send to a template version: those given, and those of parameters that must have one and have none yet, which
 * are asked for. Throws `UsageError` for a name that the template does not have, for another value of what cannot change any
 * more, and for what cannot be asked.
 */
export async function chooseParameters(
  version: string,
  { given, preset, kept }: KnownValues,
  { client, terminal, signal }: Asking,
): Promise<BuildParameter[]> {
  const known = await client.call(listTemplateVersionParameters, { params: { version }, signal });
  checkParameterNames(
    given,
    known.map(({ name }) => name),
  );
  checkChanges(known, given, kept);
  const set = new Set([...given, ...preset, ...kept].map(({ name }) => name));
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

/** What cannot change after a workspace was made must be given as it is, or not at all. */
function checkChanges(
  known: readonly TemplateVersionParameter[],
  given: readonly BuildParameter[],
  kept: readonly BuildParameter[],
): void {
  for (const { name, mutable } of known) {
    const before = kept.find((value) => value.name === name);
    const after = given.find((value) => value.name === name);
    if (mutable || before === undefined || after === undefined) continue;
    if (before.value === after.value) continue;
    throw new UsageError(
      `--parameter ${name} cannot change after the workspace was made, wanted ${name}=${before.value}`,
    );
  }
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
