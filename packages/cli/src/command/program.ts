import { Command, type Help } from "commander";

import type { GlobalFlags } from "../config/settings.ts";
import type { Colors } from "../terminal/colors.ts";
import type { Layout } from "../terminal/output.ts";
import { aliasOptions, commandOption } from "./command-option.ts";
import type { CommandDefinition, CommandGroup, CommandListing } from "./definition.ts";
import { lastWord } from "./find-command.ts";
import type { BooleanFlag, Flag, SwitchFlag } from "./flags.ts";

export const globalFlags = {
  url: { kind: "text", value: "url", summary: "address of the server", variable: "CODER_URL" },
  token: {
    kind: "text",
    value: "token",
    summary: "session token",
    variable: "CODER_SESSION_TOKEN",
  },
  configDir: {
    kind: "text",
    value: "directory",
    summary: "directory of the stored session",
    variable: "CODER_CONFIG_DIR",
  },
  org: {
    kind: "text",
    short: "O",
    value: "name",
    summary: "organization of templates and jobs (default: default)",
    variable: "CODER_ORGANIZATION",
    aliases: ["organization"],
  },
  header: {
    kind: "list",
    value: "key=value",
    summary: "header of every request, for a proxy before the server",
    variable: "CODER_HEADER",
  },
  headerCommand: {
    kind: "text",
    value: "command",
    summary: "command that prints such headers, one key=value per line",
    variable: "CODER_HEADER_COMMAND",
  },
  clientTlsCertFile: {
    kind: "text",
    value: "file",
    summary: "client certificate for such a proxy, in PEM",
    variable: "CODER_CLIENT_TLS_CERT_FILE",
  },
  clientTlsKeyFile: {
    kind: "text",
    value: "file",
    summary: "its key, in PEM",
    variable: "CODER_CLIENT_TLS_KEY_FILE",
  },
  clientTlsCaFile: {
    kind: "text",
    value: "file",
    summary: "authorities to trust for the server, in PEM",
    variable: "CODER_CLIENT_TLS_CA_FILE",
  },
} as const satisfies Record<keyof GlobalFlags, Flag>;

/**
 * Flags that `coder` takes before and after every command, so that scripts pass them everywhere. A command with a
 * flag of the same name gets it; `forceTty` applies to all.
 */
export const stockFlags = {
  verbose: { kind: "switch", summary: "no effect for most commands", hidden: true },
  disableDirectConnections: { kind: "switch", summary: "use relays only", hidden: true },
  disableNetworkTelemetry: { kind: "switch", summary: "no effect: there is none", hidden: true },
  forceTty: { kind: "switch", summary: "prompt even if this is no terminal", hidden: true },
  debugHttp: {
    kind: "switch",
    summary: "print every HTTP request to stderr, without secrets",
  },
  debugOptions: {
    kind: "switch",
    summary: "print the value of every flag and its source, and exit",
  },
  noFeatureWarning: { kind: "switch", summary: "no effect", hidden: true },
  noVersionWarning: { kind: "switch", summary: "no effect", hidden: true },
  useKeyring: {
    kind: "boolean",
    defaultValue: false,
    summary: "no effect: sessions are files",
    hidden: true,
  },
} as const satisfies Readonly<Record<string, SwitchFlag | BooleanFlag>>;

/**
 * Builds commander's program, without commands. It prints to `print`, and throws instead of exiting. The letters of
 * `called`, the command to run, are not those of global flags.
 */
export function newProgram(
  { colors, columns }: Layout,
  print: (text: string) => void,
  called: Pick<CommandDefinition, "flags"> | undefined,
): Command {
  const program = new Command("slipway")
    .description("Remote workspaces on your own machines.")
    .usage("<command> [flags]")
    .optionsGroup("Flags:")
    .commandsGroup("Additional commands:")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .exitOverride()
    .configureOutput({
      writeOut: print,
      writeErr: print,
      outputError: () => undefined,
      getOutHelpWidth: () => columns ?? 100,
      getErrHelpWidth: () => columns ?? 100,
      // `colors` has already decided whether to color.
      getOutHasColors: () => true,
      getErrHasColors: () => true,
    })
    .configureHelp(helpStyle(colors))
    .addHelpText("after", "\nUse slipway <command> --help for help on a command.");
  addFlags(program, withoutLetters(globalFlags, called?.flags ?? {}));
  addFlags(program, stockFlags);
  return program;
}

/** Returns the flags without the letters that others have. */
function withoutLetters(
  flags: Readonly<Record<string, Flag>>,
  others: Readonly<Record<string, Flag>>,
): Readonly<Record<string, Flag>> {
  const letters = new Set(Object.values(others).map(({ short }) => short));
  const kept = Object.entries(flags).map(([key, flag]): [string, Flag] => {
    const { short: _, ...unabbreviated } = flag;
    return [key, letters.has(flag.short) ? unabbreviated : flag];
  });
  return Object.fromEntries(kept);
}

function helpStyle(colors: Colors): Partial<Help> {
  return {
    showGlobalOptions: true,
    styleTitle: (text) => colors.bold(text.replace("Global Options:", "Global flags:")),
    styleUsage: (text) => text.replace("[options]", "[flags]"),
    subcommandTerm: (command) => command.name(),
    optionDescription: (option) => {
      const isShown = option.defaultValue !== undefined && option.defaultValue !== false;
      return isShown
        ? `${option.description} (default: ${String(option.defaultValue)})`
        : option.description;
    },
  };
}

/** Adds a command without arguments and flags; a name of several words nests below the commands of its first words. */
export function addCommand(
  program: Command,
  { name, heading, summary }: CommandListing,
  groups: readonly CommandGroup[],
): Command {
  const isBelow = name.includes(" ");
  return groupOf(program, name, { heading, groups })
    .command(lastWord(name))
    .helpGroup(isBelow ? "Commands:" : heading)
    .summary(summary);
}

/** Adds a command's arguments, flags and help text. */
export function describeCommand(leaf: Command, definition: CommandDefinition): void {
  leaf
    .description(descriptionOf(definition))
    .helpCommand(false)
    .optionsGroup("Flags:")
    .helpOption("-h, --help", "show help");
  for (const [name, { required, variadic, summary }] of Object.entries(definition.arguments)) {
    const words = variadic === true ? `${name}...` : name;
    leaf.argument(required ? `<${words}>` : `[${words}]`, summary);
  }
  addFlags(leaf, definition.flags);
  const width = Math.max(...definition.examples.map(({ line }) => line.length));
  const lines = definition.examples.map(
    ({ line, summary }) => `  ${line.padEnd(width)}  # ${summary}`,
  );
  leaf.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}

function descriptionOf({
  summary,
  description,
  aliases = [],
}: Pick<CommandDefinition, "summary" | "description" | "aliases">): string {
  const text = description ?? `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
  return aliases.length === 0 ? text : `${text}\n\nAliases: ${aliases.join(", ")}`;
}

/** Returns the program, or the group command under which a name of several words is nested. */
function groupOf(
  program: Command,
  name: string,
  { heading, groups }: { readonly heading: string; readonly groups: readonly CommandGroup[] },
): Command {
  const words = name.split(" ").slice(0, -1);
  return words.reduce((parent, word, index) => {
    const known = parent.commands.find((command) => command.name() === word);
    if (known !== undefined) return known;
    const path = words.slice(0, index + 1).join(" ");
    const group = groups.find((each) => each.name === path) ?? { summary: "" };
    return parent
      .command(word)
      .helpGroup(index === 0 ? heading : "Commands:")
      .usage("<command> [flags]")
      .summary(group.summary)
      .description(descriptionOf(group))
      .helpCommand(false)
      .optionsGroup("Flags:")
      .helpOption("-h, --help", "show help");
  }, program);
}

function addFlags(command: Command, flags: Readonly<Record<string, Flag>>): void {
  for (const [key, flag] of Object.entries(flags)) {
    command.addOption(commandOption(key, flag));
    for (const option of aliasOptions(key, flag)) command.addOption(option);
  }
}
