import { readFile } from "node:fs/promises";

import type { BuildParameter } from "@slipway/api/builds/build";
import { errorText } from "@slipway/runtime";

import { UsageError } from "../../command/errors.ts";
import { readParameters } from "./parameter-assignments.ts";
import { parseValuesFile } from "./values-file.ts";

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
