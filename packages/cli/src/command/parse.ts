import { countText } from "@slipway/runtime";
import type { Environment } from "@slipway/sdk/session";
import { type Command, CommanderError, InvalidArgumentError } from "commander";

import type { GlobalFlags } from "../config/settings.ts";
import type { Layout } from "../terminal/output.ts";
import { commandOption, optionValue, variableValue } from "./command-option.ts";
import type { AnyOptions, CommandDefinition, CommandTable, LazyCommand } from "./definition.ts";
import { UsageError } from "./errors.ts";
import { findCommand, withoutAliases } from "./find-command.ts";
import type { Flag } from "./flags.ts";
import { optionsReport } from "./options-report.ts";
import { addCommand, describeCommand, globalFlags, newProgram, stockFlags } from "./program.ts";

/** The request of a command line. */
export type ParsedCommandLine =
  | { readonly kind: "help"; readonly text: string }
  | {
      readonly kind: "run";
      readonly command: LazyCommand;
      readonly options: AnyOptions;
      readonly globals: GlobalFlags;
      /** True to prompt even if this may not be a terminal. */
      readonly forceTty: boolean;
      /** True to print HTTP requests. */
      readonly debugHttp: boolean;
    };

/**
 * Parses the words after the program's name. Loads only the definition of the called command. Flags that are not
 * typed take the values of their variables. Throws a `UsageError` with the flag and the expected value.
 */
export async function parseCommandLine(
  table: CommandTable,
  typed: readonly string[],
  layout: Layout,
  environment: Environment = {},
): Promise<ParsedCommandLine> {
  const { commands, groups } = table;
  const words = withoutAliases(table, normalizeWords(workspaceWords(typed)));
  const called = findCommand(commands, words);
  let parsed: ParsedCommandLine | undefined;
  let printed = "";
  const definition = await called?.definition();
  const program = newProgram(layout, (text) => (printed += text), definition);
  for (const command of called === undefined ? commands : withSubcommands(called, commands)) {
    const leaf = addCommand(program, command, groups);
    if (command !== called || definition === undefined) continue;
    describeCommand(leaf, definition);
    leaf.action(() => {
      const stock = readFlags(program, stockFlags);
      if (stock["debugOptions"] === true) {
        const all = [
          { command: leaf, flags: definition.flags },
          { command: program, flags: { ...globalFlags, ...stockFlags } },
        ];
        parsed = { kind: "help", text: optionsReport(all, environment, layout) };
        return;
      }
      const own = readOptions(leaf, definition, environment);
      const options = { ...own, ...sharedSwitches(definition, stock) };
      parsed = {
        kind: "run",
        command,
        options,
        globals: readGlobals(program),
        forceTty: stock["forceTty"] === true,
        debugHttp: stock["debugHttp"] === true,
      };
    });
  }
  try {
    program.parse(words, { from: "user" });
  } catch (error) {
    return {
      kind: "help",
      text: helpText(error, printed, (called ?? findCommand(groups, words))?.name),
    };
  }
  return parsed ?? { kind: "help", text: printed };
}

/** Returns a command and those below it, which its help lists: `server`, `server rotate-key`. */
function withSubcommands(
  called: LazyCommand,
  commands: readonly LazyCommand[],
): readonly LazyCommand[] {
  return commands.filter(({ name }) => `${name} `.startsWith(`${called.name} `));
}

/**
 * Translates command lines that programs inside workspaces use with `coder`: Git runs a bare program with its
 * question (docs/protocol/agent.md §9.1), and `exp` precedes commands that are ordinary ones here.
 */
export function workspaceWords(words: readonly string[]): readonly string[] {
  const [first = "", second = ""] = words;
  if (words.length === 1 && /^(?:Username|Password) for '/.test(first))
    return ["gitaskpass", first];
  return first === "exp" && second === "sync" ? words.slice(1) : words;
}

/** Translates conventional words, such as `--version` and `help`, into our commands and flags. */
function normalizeWords(typed: readonly string[]): readonly string[] {
  const words = typed.map((word) => word.replace(/^--global-config(?==|$)/, "--config-dir"));
  const [first, ...more] = words;
  if (first === undefined) return ["--help"];
  if (first === "help") return [...more, "--help"];
  return (first === "--version" || first === "-v") && more.length === 0 ? ["version"] : words;
}

function readOptions(
  leaf: Command,
  definition: CommandDefinition,
  environment: Environment,
): AnyOptions {
  const words = Object.entries(definition.arguments).map(([name, { variadic }], index) => [
    name,
    variadic === true ? leaf.args.slice(index) : leaf.args[index],
  ]);
  return {
    ...Object.fromEntries(words),
    ...readFlags(leaf, definition.flags),
    ...readVariables(leaf, definition.flags, environment),
  };
}

/** Returns the values of flags that were not typed but whose variable is set. */
function readVariables(
  command: Command,
  flags: Readonly<Record<string, Flag>>,
  environment: Environment,
): AnyOptions {
  const values: Record<string, unknown> = {};
  for (const [key, flag] of Object.entries(flags)) {
    const source = command.getOptionValueSource(commandOption(key, flag).attributeName());
    const text = flag.variable === undefined ? "" : (environment[flag.variable] ?? "");
    if (text === "" || source === "cli") continue;
    try {
      values[key] = variableValue(flag, text);
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      throw new UsageError(`${flag.variable} is invalid: ${error.message}, found "${text}"`);
    }
  }
  return values;
}

function readFlags(command: Command, flags: Readonly<Record<string, Flag>>): AnyOptions {
  const values: Readonly<Record<string, unknown>> = command.opts();
  const entries = Object.entries(flags).map(([key, flag]): [string, unknown] => [
    key,
    optionValue(commandOption(key, flag), flag, values),
  ]);
  return Object.fromEntries(entries);
}

/** Returns the flags of `coder` that were passed outside of a command with its own flag of that name. */
function sharedSwitches({ flags }: CommandDefinition, stock: AnyOptions): AnyOptions {
  const passed = Object.keys(stock).filter((key) => stock[key] === true);
  return Object.fromEntries(
    passed.filter((key) => flags[key]?.kind === "switch").map((key) => [key, true]),
  );
}

function readGlobals(program: Command): GlobalFlags {
  const values = readFlags(program, globalFlags);
  const text = (key: keyof GlobalFlags): string | undefined => {
    const value = values[key];
    return typeof value === "string" ? value : undefined;
  };
  return {
    url: text("url"),
    token: text("token"),
    configDir: text("configDir"),
    org: text("org"),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the type of a list's value
    header: values["header"] as readonly string[],
    headerCommand: text("headerCommand"),
    clientTlsCertFile: text("clientTlsCertFile"),
    clientTlsKeyFile: text("clientTlsKeyFile"),
    clientTlsCaFile: text("clientTlsCaFile"),
  };
}

/** Returns the text that commander printed, or throws a `UsageError` with its message. */
function helpText(error: unknown, printed: string, called: string | undefined): string {
  if (!(error instanceof CommanderError)) throw error;
  if (error.exitCode === 0 || error.code === "commander.help") return printed;
  const help = called === undefined ? "slipway --help" : `slipway ${called} --help`;
  throw new UsageError(problemOf(error), `see: ${help}`);
}

/** Returns commander's message, worded like our own. */
function problemOf({ message }: CommanderError): string {
  return message
    .replace(/^error: /, "")
    .replace(
      /^too many arguments for '(.*)'\. Expected (\d+) arguments? but got (\d+: .*)\.$/s,
      (_, name: string, wanted: string, found: string) =>
        `${name} takes ${wanted === "0" ? "no arguments" : countText(Number(wanted), "argument")}, found ${found}`,
    )
    .replace(
      /^option '(?:-\w, )?(--[\w-]+).*?' argument '(.*)' is invalid\. (.*)$/s,
      (_, flag: string, found: string, wanted: string) =>
        wanted.startsWith("wanted") ? `${flag} is "${found}", ${wanted}` : `${flag}: ${wanted}`,
    );
}
