import { rm } from "node:fs/promises";
import { join } from "node:path";

import { getSshConfig } from "@slipway/api/deployment/routes";
import { homeDirectory } from "@slipway/runtime/home-directory";
import { ApiError } from "@slipway/sdk/http";

import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import { CommandError, UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { readWorkspaces } from "../../resources/workspaces/workspace-list.ts";
import { diffLine } from "../../terminal/colors.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import type { command } from "../config-ssh.ts";
import { type ConfigFile, readConfigFile, replaceSection, writeConfigFile } from "./config-file.ts";
import { headerScript, headerScriptPath, writeHeaderScript } from "./header-script.ts";
import { hostEntries, hostNames } from "./host-entries.ts";
import { proxyWords } from "./proxy-words.ts";
import {
  affixProblem,
  checkServerSettings,
  optionProblem,
  type SshOption,
} from "./server-settings.ts";

type Options = OptionsOf<typeof command>;
type ConfigSshNeeds = Pick<Needs, "terminal" | "settings" | "environment" | "signal">;

/**
 * The host names that servers use by default; others need confirmation by a person, as they may be those of other
 * machines.
 */
const usualPrefixes = new Set(["coder."]);
const usualSuffixes = new Set(["slipway", "coder"]);
/** The prefix for a server that is too old to report one. */
const oldServer = { hostname_prefix: "coder." };

export async function run(options: Options, needs: ConfigSshNeeds): Promise<number> {
  const { terminal, settings, environment } = needs;
  const file = await readConfigFile(
    options.sshConfigFile ?? join(homeDirectory(environment), ".ssh", "config"),
  );
  const script =
    options.remove || options.skipProxyCommand
      ? undefined
      : await headerScript(settings.headerSettings);
  const scriptPath = headerScriptPath(settings.files.directory, file.path);
  const section = options.remove
    ? undefined
    : await sectionOf(options, script === undefined ? undefined : scriptPath, needs);
  const text = replaced(file, section?.lines);
  const isNew = text !== file.text;
  if (isNew) await showChange(file, text, options.dryRun ? terminal.out : terminal.err);
  else terminal.err.line(`${file.path} is up to date`);
  if (options.dryRun) return exitCodes.ok;
  if (isNew && !options.yes) await confirm(file.path, terminal);
  if (script !== undefined) {
    await writeHeaderScript(scriptPath, script);
    terminal.err.line(`stored the headers in ${scriptPath}, for you only`);
  }
  if (isNew) {
    await writeConfigFile(file, text);
    terminal.err.line(terminal.err.colors.green(`wrote ${file.path}`));
  }
  // Nothing reads an older one now.
  if (script === undefined) await rm(scriptPath, { force: true });
  if (isNew && section !== undefined) terminal.err.line(`connect with: ssh ${section.example}`);
  return exitCodes.ok;
}

/** Our section of the configuration, and the name of a host in it. */
interface NewSection {
  readonly lines: readonly string[];
  readonly example: string;
}

async function sectionOf(
  options: Options,
  script: string | undefined,
  needs: ConfigSshNeeds,
): Promise<NewSection> {
  const { terminal, settings, environment } = needs;
  const server = checkServerSettings(await serverSettings(needs));
  for (const warning of server.warnings) terminal.err.line(terminal.err.colors.yellow(warning));
  if (settings.token === undefined || settings.givenToken !== undefined) {
    const text =
      "the session is not stored: ssh needs CODER_URL and CODER_SESSION_TOKEN, or slipway login";
    terminal.err.line(terminal.err.colors.yellow(text));
  }
  const prefix = chosenAffix("--ssh-host-prefix", options.sshHostPrefix, server.prefix, options);
  const suffix = chosenAffix("--hostname-suffix", options.hostnameSuffix, server.suffix, options);
  if (prefix === undefined && suffix === undefined) {
    throw new UsageError("no host names: pass --hostname-suffix, such as slipway");
  }
  const hosts = options.noWildcard ? await namesOfOwn(needs) : undefined;
  const files = {
    session: settings.files.directory,
    headerScript: script,
    certificates: settings.certificateFiles,
  };
  const command = options.skipProxyCommand
    ? undefined
    : await proxyWords(options, files, environment);
  const name = hosts?.[0] ?? "<workspace>";
  return {
    lines: [
      "# Written by slipway config-ssh, which replaces these lines; slipway config-ssh --remove deletes them.",
      ...hostEntries({
        prefix,
        suffix,
        options: [...options.sshOption.map(readOption), ...server.options],
        hosts,
        command,
      }),
    ],
    example: suffix === undefined ? `${prefix}${name}` : `${name}.${suffix}`,
  };
}

async function namesOfOwn({
  terminal,
  settings,
  signal,
}: ConfigSshNeeds): Promise<readonly string[]> {
  const { err } = terminal;
  const names = hostNames(await readWorkspaces(connect(settings), "owner:me", signal));
  err.line(
    names.length === 0
      ? err.colors.yellow("you have no workspaces: run the command again once you have one")
      : "run the command again after you create or rename a workspace",
  );
  return names;
}

async function serverSettings({ settings, signal }: ConfigSshNeeds): Promise<unknown> {
  try {
    return await connect(settings).call(getSshConfig, { signal });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return oldServer;
    throw error;
  }
}

/** Returns the affix of host names from the flag, or else from the server. */
function chosenAffix(
  flag: "--ssh-host-prefix" | "--hostname-suffix",
  wanted: string | undefined,
  offered: string | undefined,
  { yes, dryRun }: Pick<Options, "yes" | "dryRun">,
): string | undefined {
  if (wanted === "") return undefined;
  if (wanted !== undefined) {
    const problem = affixProblem(wanted);
    if (problem !== undefined) throw new UsageError(`${flag} "${wanted}" ${problem}`);
    return wanted;
  }
  const usual = flag === "--ssh-host-prefix" ? usualPrefixes : usualSuffixes;
  if (offered === undefined || usual.has(offered) || !yes || dryRun) return offered;
  const hosts =
    flag === "--ssh-host-prefix" ? `beginning with ${offered}` : `ending in .${offered}`;
  throw new UsageError(
    `the server asks for all hosts ${hosts}, which may be those of other machines`,
    `to accept it: ${flag} ${offered}; to look at it first, leave out --yes`,
  );
}

function readOption(text: string): SshOption {
  const [, name = "", value = ""] = /^\s*(\w+)(?:\s*=\s*|\s+)(.*)$/s.exec(text) ?? [];
  const option = { name, value };
  const problem = optionProblem(option);
  if (problem === undefined) return option;
  throw new UsageError(`--ssh-option "${text}" ${problem}; wanted name=value`);
}

function replaced(file: ConfigFile, lines: readonly string[] | undefined): string {
  try {
    return replaceSection(file.text, lines);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new CommandError(`${file.path}, ${error.message}`, hint);
  }
}

async function showChange(file: ConfigFile, text: string, output: Terminal["out"]): Promise<void> {
  const { createTwoFilesPatch, FILE_HEADERS_ONLY } = await import("diff");
  const patch = createTwoFilesPatch(file.path, file.path, file.text, text, "before", "after", {
    context: 3,
    headerOptions: FILE_HEADERS_ONLY,
  });
  for (const line of patch.trimEnd().split("\n")) output.line(diffLine(line, output.colors));
}

async function confirm(path: string, { interactive, prompts }: Terminal): Promise<void> {
  if (!interactive) throw new UsageError("not a terminal: pass --yes to confirm");
  if (await prompts.confirm(`Change ${path}?`, { initial: true })) return;
  throw new CommandError("nothing was written");
}
