import type { BuildParameter } from "@slipway/api/builds/build";

import { UsageError } from "../../command/errors.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { askParameter } from "./ask-parameter.ts";
import { checkParameterNames, type GivenValues } from "./given-values.ts";
import type { KnownParameter, ParameterForm } from "./parameter-form.ts";

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
 * checked by the server before the next. An answer may decide which parameters there are, and which prompts follow.
 * Throws `UsageError` for a name that the template does not have, for another value of an immutable parameter, and for a
 * missing value if prompting is not possible.
 */
export async function chooseParameters(
  form: ParameterForm,
  before: KnownValues,
  terminal: Terminal,
): Promise<BuildParameter[]> {
  const { given, defaults, preset } = before;
  const start = mapOf([...defaults, ...before.kept, ...given, ...preset]);
  const known = await form.present(start);
  const possible = await form.possible(start);
  checkParameterNames(given, possible);
  checkParameterNames(defaults, possible);
  const values = { ...before, kept: lasting(before.kept, known) };
  checkChanges(known, given, values.kept);
  const set = new Set([...given, ...preset, ...values.kept].map(({ name }) => name));
  const filled = defaults.filter(({ name }) => !set.has(name));
  if (!terminal.interactive) {
    const settled = new Set([...set, ...filled.map(({ name }) => name)]);
    const needed = known.filter(({ name, required }) => required && !settled.has(name));
    if (needed.length > 0) throw missing(needed);
    const unasked = questionsOf(known, settled, values).filter(({ ephemeral }) => ephemeral);
    if (unasked.length > 0) throw notAsked(unasked);
    return [...given, ...ofPresent(filled, known)];
  }
  return askAll(form, { values, filled }, terminal);
}

/** Leaves out values of parameters that there are not. */
function ofPresent(
  values: readonly BuildParameter[],
  known: readonly KnownParameter[],
): BuildParameter[] {
  return values.filter(({ name }) => known.some((parameter) => parameter.name === name));
}

/** Returns the values that a workspace keeps: those of ephemeral parameters were for one build. */
function lasting(
  kept: readonly BuildParameter[],
  known: readonly KnownParameter[],
): readonly BuildParameter[] {
  const ephemeral = new Set(known.filter((each) => each.ephemeral).map(({ name }) => name));
  return kept.filter(({ name }) => !ephemeral.has(name));
}

/** Returns the parameters to prompt for, in the order of the template; those in `settled` have a value. */
function questionsOf(
  known: readonly KnownParameter[],
  settled: ReadonlySet<string>,
  { given, preset, kept, ask, askEphemeral }: KnownValues,
): readonly KnownParameter[] {
  const fixed = new Set([...given, ...preset].map(({ name }) => name));
  const present = new Set(kept.map(({ name }) => name));
  return known.filter(({ name, required, ephemeral, mutable }) => {
    if (required && !settled.has(name)) return true;
    if (fixed.has(name)) return false;
    if (ephemeral) return askEphemeral;
    if (ask === "needed") return false;
    return ask === "all" ? mutable || !present.has(name) : !present.has(name);
  });
}

/** The values before prompts, and the defaults that apply to parameters without one. */
interface PromptedValues {
  readonly values: KnownValues;
  readonly filled: readonly BuildParameter[];
}

/** Prompts for one parameter after the other, until the answers leave none; returns the values to send. */
async function askAll(
  form: ParameterForm,
  { values: before, filled }: PromptedValues,
  terminal: Terminal,
): Promise<BuildParameter[]> {
  const { given, preset, kept } = before;
  const settled = new Set([...given, ...preset, ...kept, ...filled].map(({ name }) => name));
  const fallbacks = mapOf([...before.defaults, ...kept]);
  const values = mapOf([...filled, ...kept, ...given, ...preset]);
  const asked = new Map<string, string>();
  for (;;) {
    const known = await form.present(values);
    const question = questionsOf(known, settled, before).find(({ name }) => !asked.has(name));
    if (question === undefined) {
      const unanswered = filled.filter(({ name }) => !asked.has(name));
      const answers = [...asked].map(([name, value]) => ({ name, value }));
      return [...given, ...ofPresent([...unanswered, ...answers], known)];
    }
    const { name } = question;
    values.delete(name);
    const parameter = await form.parameter(name, values);
    const fallback = fallbacks.get(name) ?? parameter.defaultValue;
    let rejected: string | undefined;
    do {
      const value = await askParameter(parameter, terminal.prompts, { fallback, rejected });
      values.set(name, value);
      const { problem } = await form.parameter(name, values);
      rejected = problem === undefined ? undefined : value;
      if (problem === undefined) asked.set(name, value);
      else terminal.err.line(terminal.err.colors.yellow(problem));
    } while (rejected !== undefined);
  }
}

function mapOf(values: readonly BuildParameter[]): Map<string, string> {
  return new Map(values.map(({ name, value }) => [name, value]));
}

function missing(needed: readonly KnownParameter[]): UsageError {
  const names = needed.map(({ name }) => name).join(", ");
  const flags = needed.map(({ name }) => `--parameter ${name}=…`).join(" ");
  return new UsageError(
    `missing required parameter${needed.length === 1 ? "" : "s"} ${names}: pass ${flags}`,
  );
}

function notAsked(unasked: readonly KnownParameter[]): UsageError {
  const flags = unasked.map(({ name }) => `--ephemeral-parameter ${name}=…`).join(" ");
  return new UsageError(`not a terminal: pass ${flags} instead of --prompt-ephemeral-parameters`);
}

/** Requires immutable parameters of an existing workspace to be passed unchanged, or not at all. */
function checkChanges(
  known: readonly KnownParameter[],
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
