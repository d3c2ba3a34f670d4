import { readFile } from "node:fs/promises";

import type { BuildParameter } from "@slipway/api";
import { errorText } from "@slipway/runtime";

import { UsageError } from "../../command/errors.ts";
import { readParameters } from "./assignment.ts";
import { parseValuesFile } from "./values-file.ts";

/** The flags as the command line has them. */
export interface ParameterOptions {
  readonly parameter: readonly string[];
  readonly richParameterFile: string | undefined;
  readonly parameterDefault: readonly string[];
}

/** What the command line says of values. */
export interface GivenValues {
  /** Of flags and of the file; a flag goes before the file. */
  readonly given: readonly BuildParameter[];
  /** Of parameters that have no value otherwise. */
  readonly defaults: readonly BuildParameter[];
}

/** Reads what the flags say, with the file that they name. Throws `UsageError`. */
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
