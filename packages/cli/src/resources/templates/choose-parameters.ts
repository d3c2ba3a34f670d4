import type { BuildParameter } from "@slipway/api/builds/build";
import type { TemplateVersionParameter } from "@slipway/api/templates/template-version";

import { UsageError } from "../../command/errors.ts";
import type { ClientNeeds } from "../../command/needs.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { askParameter } from "./ask-parameter.ts";
import { checkParameterNames, type GivenValues } from "./given-values.ts";
import { ParameterForm } from "./parameter-form.ts";

type PromptNeeds = Pick<ClientNeeds, "client" | "terminal" | "signal">;

/** Existing values. */
export interface KnownValues extends GivenValues {
  /** Values of the preset, which take precedence over everything else. */
  readonly preset: readonly BuildParameter[];
  /** Values of the workspace; none for a new one. */
  readonly kept: readonly BuildParameter[];
  /**
   * Parameters to prompt for: `needed` are those without any value, `unset` also those with only a default, and `all`
   * also those that the workspace has and may change.
   */
  readonly ask: "needed" | "unset" | "all";
  /** True to also prompt for ephemeral parameters, which otherwise have their default. */
  readonly askEphemeral: boolean;
}

/** Flags that determine the prompts of a start. */
export interface PromptFlags {
  readonly alwaysPrompt: boolean;
  readonly promptEphemeralParameters: boolean;
  readonly useParameterDefaults: boolean;
}

/** Returns the parameters for which a start of a workspace prompts. */
export function promptsOf({
  alwaysPrompt,
  promptEphemeralParameters,
  useParameterDefaults,
}: PromptFlags): Pick<KnownValues, "ask" | "askEphemeral"> {
  return {
    ask: alwaysPrompt && !useParameterDefaults ? "all" : "needed",
    askEphemeral: promptEphemeralParameters && !useParameterDefaults,
  };
}

/**
 * Returns the values to send to a template version: given values, given defaults, and answers to prompts, each
 * checked by the server before the next. Throws `UsageError` for a name that the template does not have, for another
 * value of an immutable parameter, and for a missing value if prompting is not possible.
 */
export async function chooseParameters(
  version: string,
  before: KnownValues,
  needs: PromptNeeds,
): Promise<BuildParameter[]> {
  const form = await ParameterForm.open(version, needs);
  const known = form.parameters;
  const values = { ...before, kept: lasting(before.kept, known) };
  const { given, defaults, preset, kept } = values;
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
  const questions = questionsOf(known, needed, values);
  if (!needs.terminal.interactive) {
    if (needed.length > 0) throw missing(needed);
    const unasked = questions.filter(({ ephemeral }) => ephemeral);
    if (unasked.length > 0) throw notAsked(unasked);
    return [...given, ...filled];
  }
  const asked = await askAll(form, questions, values, needs.terminal);
  const answered = new Set(asked.map(({ name }) => name));
  return [...given, ...filled.filter(({ name }) => !answered.has(name)), ...asked];
}

/** Returns the values that a workspace keeps: those of ephemeral parameters were for one build. */
function lasting(
  kept: readonly BuildParameter[],
  known: readonly TemplateVersionParameter[],
): readonly BuildParameter[] {
  const ephemeral = new Set(known.filter((each) => each.ephemeral).map(({ name }) => name));
  return kept.filter(({ name }) => !ephemeral.has(name));
}

/** Returns the parameters to prompt for, in the order of the template. */
function questionsOf(
  known: readonly TemplateVersionParameter[],
  needed: readonly TemplateVersionParameter[],
  { given, preset, kept, ask, askEphemeral }: KnownValues,
): readonly TemplateVersionParameter[] {
  const settled = new Set([...given, ...preset].map(({ name }) => name));
  const present = new Set(kept.map(({ name }) => name));
  return known.filter((parameter) => {
    const { name, ephemeral, mutable } = parameter;
    if (needed.includes(parameter)) return true;
    if (settled.has(name)) return false;
    if (ephemeral) return askEphemeral;
    if (ask === "needed") return false;
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

function notAsked(unasked: readonly TemplateVersionParameter[]): UsageError {
  const flags = unasked.map(({ name }) => `--ephemeral-parameter ${name}=…`).join(" ");
  return new UsageError(`not a terminal: pass ${flags} instead of --prompt-ephemeral-parameters`);
}

/** Requires immutable parameters of an existing workspace to be passed unchanged, or not at all. */
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
