import { readFile } from "node:fs/promises";

import type { BuildParameter } from "@slipway/api/builds/build";
import { errorText } from "@slipway/runtime";

import { UsageError } from "../../command/errors.ts";
import type { ListFlag, SwitchFlag, TextFlag } from "../../command/flags.ts";

/** Flags of commands that give values to the parameters of a template. */
export const parameterFlags = {
  parameter: {
    kind: "list",
    value: "name=value",
    summary: "parameter value; repeatable",
    variable: "CODER_RICH_PARAMETER",
    aliases: ["ephemeral-parameter", "build-option"],
  },
  richParameterFile: {
    kind: "text",
    value: "path",
    summary: "YAML file of parameter values, one name: value per line",
    completion: "files",
    variable: "CODER_RICH_PARAMETER_FILE",
  },
  parameterDefault: {
    kind: "list",
    value: "name=value",
    summary: "value of a parameter that has none otherwise; repeatable",
    variable: "CODER_RICH_PARAMETER_DEFAULT",
  },
  useParameterDefaults: {
    kind: "switch",
    summary: "use parameter defaults without prompting",
    variable: "CODER_WORKSPACE_USE_PARAMETER_DEFAULTS",
  },
} as const satisfies Readonly<Record<string, ListFlag | TextFlag | SwitchFlag>>;

/** `--always-prompt` of commands that change the values of a workspace. */
export const alwaysPromptFlag = {
  kind: "switch",
  summary: "prompt for every mutable parameter, with its current value as the default",
} as const satisfies SwitchFlag;

/** `--prompt-ephemeral-parameters` of commands that start a workspace. */
export const promptEphemeralFlag = {
  kind: "switch",
  variable: "CODER_PROMPT_EPHEMERAL_PARAMETERS",
  summary: "prompt for the ephemeral parameters, which hold for this start only",
  aliases: ["build-options"],
} as const satisfies SwitchFlag;

/** The raw values of the flags. */
export interface ParameterOptions {
  readonly parameter: readonly string[];
  readonly richParameterFile: string | undefined;
  readonly parameterDefault: readonly string[];
}

/** Parameter values from the command line. */
export interface GivenValues {
  /** From flags and the file; flags take precedence. */
  readonly given: readonly BuildParameter[];
  /** For parameters that have no value otherwise. */
  readonly defaults: readonly BuildParameter[];
}

/** Reads the values of the flags, and of the file that they name. Throws `UsageError`. */
export async function readGivenValues(options: ParameterOptions): Promise<GivenValues> {
  const flags = readParameters(options.parameter, "--parameter");
  const defaults = readParameters(options.parameterDefault, "--parameter-default");
  const { richParameterFile: path } = options;
  const file = path === undefined ? [] : await readValuesFile(path);
  const names = new Set(flags.map(({ name }) => name));
  return { given: [...flags, ...file.filter(({ name }) => !names.has(name))], defaults };
}

async function readValuesFile(path: string): Promise<BuildParameter[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new UsageError(`--rich-parameter-file cannot be read: ${errorText(error)}`);
  }
  return parseValuesFile(text, path);
}

/** Reads the values of a flag such as `--parameter name=value`; the last one of a name counts. Throws `UsageError`. */
export function readParameters(texts: readonly string[], flag: string): BuildParameter[] {
  const values = new Map<string, string>();
  for (const text of texts) {
    const at = text.indexOf("=");
    if (at < 1) throw new UsageError(`${flag} "${text}" has no name and value, wanted name=value`);
    values.set(text.slice(0, at), text.slice(at + 1));
  }
  return [...values].map(([name, value]) => ({ name, value }));
}

/** Throws `UsageError` for a value whose parameter the template does not have. */
export function checkParameterNames(
  values: readonly BuildParameter[],
  known: readonly string[],
): void {
  for (const { name } of values) {
    if (known.includes(name)) continue;
    const wanted = known.length === 0 ? "it has none" : `wanted one of ${known.join(", ")}`;
    throw new UsageError(`the template has no parameter "${name}": ${wanted}`);
  }
}

/**
 * Parses a YAML file of `name: value` lines. Texts, numbers and booleans are taken as written, even `1.10` and `on`; a
 * list becomes JSON, as the server expects. `path` is for errors. Throws `UsageError`.
 */
export async function parseValuesFile(text: string, path: string): Promise<BuildParameter[]> {
  const { parse, YAMLParseError } = await import("yaml");
  let parsed: unknown;
  try {
    // The failsafe schema has only texts, lists and maps.
    parsed = parse(text, { schema: "failsafe", maxAliasCount: 0 });
  } catch (error) {
    if (!(error instanceof YAMLParseError || error instanceof ReferenceError)) throw error;
    throw new UsageError(`${path} is not valid YAML: ${error.message.split("\n")[0] ?? ""}`);
  }
  if (parsed === null || parsed === undefined || parsed === "") return [];
  if (typeof parsed !== "object" || Array.isArray(parsed)) {
    throw new UsageError(
      `${path} is not a map of names to values, wanted lines such as size: large`,
    );
  }
  return Object.entries(parsed).map(([name, value]) => ({
    name,
    value: valueOf(value, name, path),
  }));
}

function valueOf(value: unknown, name: string, path: string): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) {
    return JSON.stringify(value);
  }
  throw new UsageError(`${path} sets ${name} to a map, wanted a text or a list of texts`);
}
