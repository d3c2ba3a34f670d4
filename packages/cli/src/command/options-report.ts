import { type Environment, firstVariable } from "@slipway/sdk/session";
import type { Command } from "commander";

import type { Layout } from "../terminal/output.ts";
import { renderTable } from "../terminal/table.ts";
import { commandOption, optionValue, variableValue } from "./command-option.ts";
import { type Flag, flagName } from "./flags.ts";

/** Flags with the command for which commander has parsed them. */
export interface ParsedFlags {
  readonly command: Command;
  readonly flags: Readonly<Record<string, Flag>>;
}

/** Returns a table of all flags with their values, without secrets, and the source of each value. */
export function optionsReport(
  parsed: readonly ParsedFlags[],
  environment: Environment,
  layout: Layout,
): string {
  const rows = parsed.flatMap(({ command, flags }) =>
    Object.entries(flags).map(([key, flag]) => rowOf(key, flag, { command, environment })),
  );
  return `${renderTable(["FLAG", "VALUE", "SET BY"], rows, layout).join("\n")}\n`;
}

function rowOf(
  key: string,
  flag: Flag,
  { command, environment }: { readonly command: Command; readonly environment: Environment },
): readonly [string, string, string] {
  const called = flagName(key);
  const option = commandOption(key, flag);
  const value = optionValue(option, flag, command.opts());
  if (command.getOptionValueSource(option.attributeName()) === "cli") {
    return [called, shownValue(key, value), "flag"];
  }
  const variable = variablesOf(flag).find((name) => firstVariable(environment, name) !== undefined);
  if (variable === undefined) return [called, shownValue(key, value), "default"];
  const set = variableValue(flag, environment[variable] ?? "");
  return [called, shownValue(key, set), variable];
}

/** Returns the variables of a flag, by the names of both commands. */
function variablesOf({ variable }: Flag): readonly string[] {
  return variable === undefined ? [] : [variable, variable.replace(/^CODER_/, "SLIPWAY_")];
}

/** Names of flags whose values are secrets, or contain some. */
const secretFlag = /token$|^key$|password|secret|header|postgresUrl/i;

function shownValue(key: string, value: unknown): string {
  if (value === undefined) return "-";
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => shownValue(key, item));
    return items.length === 0 ? "-" : items.join(", ");
  }
  return typeof value === "string" ? shownText(key, value) : JSON.stringify(value);
}

/** Returns a text without possible secrets: the value of `name=value`, the password in an address. */
function shownText(key: string, text: string): string {
  if (secretFlag.test(key)) return "(hidden)";
  if (/^[a-z+]+:\/\//i.test(text)) {
    return text.replace(/\/\/[^/]*@/, "//…@").replace(/[?#].*$/s, "?…");
  }
  return text.replace(/=.*$/s, "=…");
}
