import { InvalidArgumentError, Option } from "commander";

import { type ChoiceFlag, type ColumnsFlag, type Flag, flagName } from "./flags.ts";

/** Returns commander's option for a flag. Its values have the type `FlagValue`. */
export function commandOption(key: string, flag: Flag): Option {
  return visibleOption(key, flag).hideHelp(flag.hidden === true);
}

/** Returns the hidden options of a flag's other names, which set the same value. */
export function aliasOptions(key: string, flag: Flag): readonly Option[] {
  const { short: _, ...unabbreviated } = flag;
  const attribute = commandOption(key, flag).attributeName();
  return (flag.aliases ?? []).map((alias) => {
    const option = commandOption(alias, unabbreviated).hideHelp();
    option.attributeName = () => attribute;
    return option;
  });
}

function visibleOption(key: string, flag: Flag): Option {
  const start = flag.short === undefined ? flagName(key) : `-${flag.short}, ${flagName(key)}`;
  const text = flagText(flag);
  const summary = flag.variable === undefined ? text : `${text} (${flag.variable})`;
  switch (flag.kind) {
    case "switch":
      return new Option(start, summary);
    case "text": {
      const option = new Option(`${start} <${flag.value}>`, summary);
      const { choices } = flag;
      return choices === undefined ? option : option.argParser((value) => readWord(value, choices));
    }
    case "list":
      return new Option(`${start} <${flag.value}>`, summary).argParser(
        (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
      );
    case "integer":
      return new Option(`${start} <${flag.value}>`, summary).argParser(readInteger);
    case "boolean":
      return new Option(`${start} [true|false]`, summary)
        .argParser(readBoolean)
        .default(flag.defaultValue)
        .preset("true");
    case "choice":
      return new Option(`${start} <${listedChoices(flag) ?? "choice"}>`, summary)
        .argParser((value) => readChoice(value, flag))
        .default(flag.choices[0]);
    case "columns":
      return new Option(`${start} <name,...>`, columnsSummary(flag)).argParser(
        (value: string, before: readonly string[] | undefined) => [
          ...(before ?? []),
          ...value.split(",").map((name) => readColumn(name, flag.columns)),
        ],
      );
  }
}

/** Returns a flag's value from those that commander parsed, where `--no-wait` is `wait: false`. */
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
    case "columns":
      return value ?? flag.defaultColumns;
    case "text":
    case "integer":
    case "boolean":
    case "choice":
      return value;
  }
}

/**
 * Parses a flag's value from its environment variable. Throws `InvalidArgumentError` for a value that the flag does not
 * accept.
 */
export function variableValue(flag: Flag, text: string): unknown {
  switch (flag.kind) {
    case "switch":
      return readBoolean(text);
    case "list":
      return text.split(",");
    case "columns":
      return text.split(",").map((name) => readColumn(name, flag.columns));
    case "integer":
      return readInteger(text);
    case "boolean":
      return readBoolean(text);
    case "choice":
      return readChoice(text, flag);
    case "text":
      return flag.choices === undefined ? text : readWord(text, flag.choices);
  }
}

function readWord(value: string, choices: readonly string[]): string {
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[ -]/g, "_");
  const found = choices.find((choice) => plain(choice) === plain(value));
  if (found !== undefined) return found;
  throw new InvalidArgumentError(`wanted ${oneOf(choices)}`);
}

function readInteger(value: string): number {
  if (!/^-?\d{1,9}$/.test(value)) throw new InvalidArgumentError("wanted a whole number");
  return Number(value);
}

function readBoolean(value: string): boolean {
  if (value !== "true" && value !== "false") throw new InvalidArgumentError("wanted true or false");
  return value === "true";
}

function readChoice(value: string, { choices, synonyms }: ChoiceFlag): string {
  const choice = synonyms?.[value] ?? value;
  if (choices.includes(choice)) return choice;
  throw new InvalidArgumentError(`wanted ${oneOf(choices)}`);
}

/** The maximum length of a list of choices in a flag's column of the help, which would otherwise become too wide. */
const maxListedChars = 40;

function listedChoices({ choices }: ChoiceFlag): string | undefined {
  const listed = choices.join("|");
  return listed.length > maxListedChars ? undefined : listed;
}

function flagText(flag: Flag): string {
  if (flag.kind !== "choice" || listedChoices(flag) !== undefined) return flag.summary;
  return `${flag.summary}: ${oneOf(flag.choices)}`;
}

function oneOf(choices: readonly string[]): string {
  if (choices.length < 2) return `${choices.join("")}, the only value here`;
  return [choices.slice(0, -1).join(", "), ...choices.slice(-1)].join(" or ");
}

function readColumn(text: string, columns: readonly string[]): string {
  const name = text.trim().toLowerCase();
  if (columns.includes(name)) return name;
  throw new InvalidArgumentError(`unknown column "${name}", wanted one of ${columns.join(", ")}`);
}

/** Returns the summary with all columns: those not printed by default cannot be guessed. */
function columnsSummary({ summary, columns, defaultColumns }: ColumnsFlag): string {
  const more = columns.filter((name) => !defaultColumns.includes(name));
  const usual = defaultColumns.length === 0 ? "no table" : defaultColumns.join(", ");
  return `${summary} (default: ${usual}${more.length === 0 ? "" : `; also: ${more.join(", ")}`})`;
}
