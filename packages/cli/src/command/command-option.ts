import { InvalidArgumentError, Option } from "commander";

import { type Flag, flagName } from "./flags.ts";

/** A flag as commander knows it. Its values come out as `FlagValue` says. */
export function commandOption(key: string, flag: Flag): Option {
  const start = flag.short === undefined ? flagName(key) : `-${flag.short}, ${flagName(key)}`;
  const summary = flag.variable === undefined ? flag.summary : `${flag.summary} (${flag.variable})`;
  switch (flag.kind) {
    case "switch":
      return new Option(start, summary);
    case "text":
      return new Option(`${start} <${flag.value}>`, summary);
    case "list":
      return new Option(`${start} <${flag.value}>`, summary).argParser(
        (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
      );
    case "integer":
      return new Option(`${start} <${flag.value}>`, summary).argParser(readInteger);
    case "boolean":
      return new Option(`${start} [true|false]`, summary)
        .argParser(readBoolean)
        .default(flag.fallback)
        .preset("true");
    case "choice":
      return new Option(`${start} <${flag.choices.join("|")}>`, summary)
        .argParser((value) => readChoice(value, flag.choices))
        .default(flag.choices[0]);
  }
}

/** The value of a flag among what commander parsed, where `--no-wait` reads as `wait: false`. */
export function optionValue(
  option: Option,
  flag: Flag,
  values: Readonly<Record<string, unknown>>,
): unknown {
  const value = values[option.attributeName()];
  switch (flag.kind) {
    case "switch":
      return option.negate ? value === false : value === true;
    case "list":
      return value ?? [];
    case "text":
    case "integer":
    case "boolean":
    case "choice":
      return value;
  }
}

function readInteger(value: string): number {
  if (!/^-?\d{1,9}$/.test(value)) throw new InvalidArgumentError("wanted a whole number");
  return Number(value);
}

function readBoolean(value: string): boolean {
  if (value !== "true" && value !== "false") throw new InvalidArgumentError("wanted true or false");
  return value === "true";
}

function readChoice(value: string, choices: readonly string[]): string {
  if (!choices.includes(value)) throw new InvalidArgumentError(`wanted ${choices.join(" or ")}`);
  return value;
}
