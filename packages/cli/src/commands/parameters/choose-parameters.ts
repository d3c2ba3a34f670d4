import type { BuildParameter, TemplateVersionParameter } from "@slipway/api";
import type { ApiClient } from "@slipway/sdk/http";

import { UsageError } from "../../command/errors.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { askParameter } from "./ask-parameter.ts";
import { checkParameterNames } from "./assignment.ts";
import type { GivenValues } from "./given-values.ts";
import { ParameterForm } from "./parameter-form.ts";

interface Asking {
  readonly client: ApiClient;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** Values that there are already. */
export interface KnownValues extends GivenValues {
  /** What a preset sets; it goes before everything else. */
  readonly preset: readonly BuildParameter[];
  /** What the workspace has; none for a new one. */
  readonly kept: readonly BuildParameter[];
  /**
   * What a person is asked for: `needed` is what has no value at all, `unset` also what has only a default, and `all` also
   * what the workspace has and may change.
   */
  readonly ask: "needed" | "unset" | "all";
}

/**
 * The values to send to a template version: those given, those of defaults given, and those that a person is asked for,
 * each of which the server looks at before the next. Throws `UsageError` for a name that the template does not have, for
 * another value of what cannot change any more, and for what is missing where nobody can be asked.
 */
export async function chooseParameters(
  version: string,
  values: KnownValues,
  asking: Asking,
): Promise<BuildParameter[]> {
  const { given, defaults, preset, kept } = values;
  const form = await ParameterForm.open(version, asking);
  const known = form.parameters;
  const names = known.map(({ name }) => name);
  checkParameterNames(given, names);
  checkParameterNames(defaults, names);
  checkChanges(known, given, kept);
  const set = new Set([...given, ...preset, ...kept].map(({ name }) => name));
  const filled = defaults.filter(({ name }) => !set.has(name));
  const needed = known.filter(
    ({ name, required }) =>
      required && !set.has(name) && !filled.some((value) => value.name === name),
  );
  if (!asking.terminal.interactive) {
    if (needed.length > 0) throw missing(needed);
    return [...given, ...filled];
  }
  const asked = await askAll(form, questionsOf(known, needed, values), values, asking.terminal);
  const answered = new Set(asked.map(({ name }) => name));
  return [...given, ...filled.filter(({ name }) => !answered.has(name)), ...asked];
}

/** The parameters to ask for, in the order of the template. */
function questionsOf(
  known: readonly TemplateVersionParameter[],
  needed: readonly TemplateVersionParameter[],
  { given, preset, kept, ask }: KnownValues,
): readonly TemplateVersionParameter[] {
  const settled = new Set([...given, ...preset].map(({ name }) => name));
  const present = new Set(kept.map(({ name }) => name));
  return known.filter((parameter) => {
    const { name, ephemeral, mutable } = parameter;
    if (needed.includes(parameter)) return true;
    // What is for one build only has its usual value unless somebody asks for another.
    if (ask === "needed" || settled.has(name) || ephemeral) return false;
    return ask === "all" ? mutable || !present.has(name) : !present.has(name);
  });
}

async function askAll(
  form: ParameterForm,
  questions: readonly TemplateVersionParameter[],
  { given, defaults, preset, kept }: KnownValues,
  terminal: Terminal,
): Promise<BuildParameter[]> {
  const fallbacks = mapOf([...defaults, ...kept]);
  const values = mapOf([...kept, ...given, ...preset]);
  const asked: BuildParameter[] = [];
  for (const { name } of questions) {
    values.delete(name);
    const parameter = await form.parameter(name, values);
    const fallback = fallbacks.get(name) ?? parameter.defaultValue;
    let rejected: string | undefined;
    for (;;) {
      const value = await askParameter(parameter, terminal.prompts, { fallback, rejected });
      values.set(name, value);
      const { problem } = await form.parameter(name, values);
      if (problem === undefined) {
        asked.push({ name, value });
        break;
      }
      terminal.err.line(terminal.err.colors.yellow(problem));
      rejected = value;
    }
  }
  return asked;
}

function mapOf(values: readonly BuildParameter[]): Map<string, string> {
  return new Map(values.map(({ name, value }) => [name, value]));
}

function missing(needed: readonly TemplateVersionParameter[]): UsageError {
  const names = needed.map(({ name }) => name).join(", ");
  const flags = needed.map(({ name }) => `--parameter ${name}=…`).join(" ");
  return new UsageError(
    `missing required parameter${needed.length === 1 ? "" : "s"} ${names}: pass ${flags}`,
  );
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
      `--parameter ${name} cannot change after the workspace is created, wanted ${name}=${before.value}`,
    );
  }
}
