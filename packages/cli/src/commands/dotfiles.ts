import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { resolve } from "node:path";

import { countText, systemErrorCode } from "@slipway/runtime";
import { homeDirectory } from "@slipway/runtime/home-directory";

import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { CommandError, UsageError } from "../command/errors.ts";
import { exitCodes } from "../command/exit-codes.ts";
import { yesFlag } from "../command/flags.ts";
import type { Needs } from "../command/needs.ts";
import { cloneRepository, type ClonePlace, readClone, updateClone } from "./dotfiles/clone.ts";
import { openGit } from "./dotfiles/git.ts";
import { findInstallScript, runInstallScript } from "./dotfiles/install-script.ts";
import { type Link, makeLink, planLinks } from "./dotfiles/link-files.ts";

export const command = defineCommand({
  summary: "install your dotfiles from a Git repository",
  description:
    "Clone a repository, or update its clone, and install the dotfiles in it: run its install.sh, install, " +
    "bootstrap.sh, bootstrap, setup.sh or setup, in the repository or its directory script, or, without any of them, " +
    "link its dotfiles into the home directory. Existing files are kept with the extension .bak. Needs no login.",
  arguments: { repository: { summary: "URL or path of the Git repository", required: true } },
  flags: {
    branch: {
      kind: "text",
      short: "b",
      value: "name",
      summary:
        "branch or tag to install (default: the default branch, or the current one of the clone)",
    },
    symlinkDir: {
      kind: "text",
      value: "directory",
      variable: "CODER_SYMLINK_DIR",
      completion: "files",
      summary: "directory to link dotfiles into (default: the home directory)",
    },
    repoDir: {
      kind: "text",
      value: "directory",
      variable: "CODER_DOTFILES_REPO_DIR",
      completion: "files",
      summary:
        "directory of the clone, relative to the configuration directory (default: dotfiles)",
    },
    yes: yesFlag,
  },
  examples: [
    {
      line: "slipway dotfiles https://github.com/ada/dotfiles",
      summary: "clone and install, with confirmation",
    },
    {
      line: "slipway dotfiles --yes git@github.com:ada/dotfiles.git",
      summary: "in a start script",
    },
  ],
});

type Options = OptionsOf<typeof command>;
type DotfilesNeeds = Pick<Needs, "terminal" | "settings" | "environment" | "clock" | "signal">;

export async function run(options: Options, needs: DotfilesNeeds): Promise<number> {
  const { terminal, settings, environment, clock, signal } = needs;
  const place = readPlace(options, settings.files.directory);
  const home = options.symlinkDir ?? homeDirectory(environment);
  if (!options.yes && !terminal.interactive) {
    throw new UsageError("not a terminal: pass --yes to confirm");
  }
  const git = await openGit({ output: terminal.err, environment, signal });
  const found = await readClone(place, git);
  if (found.kind === "same") {
    await updateClone(place, git, terminal.err);
  } else {
    const backup = found.kind === "other" ? backupPath(place.directory, clock.now()) : undefined;
    if (found.kind === "other") {
      const question = `${place.directory} has the dotfiles of ${found.repository}. Rename it to ${backup}?`;
      await confirm(question, options, needs);
    }
    await cloneRepository({ ...place, backup }, git, terminal.err);
  }
  const script = await findInstallScript(place.directory);
  if (script === undefined) return linkAll(place.directory, home, options, needs);
  await confirm(`Run ${script.name} of the dotfiles?`, options, needs);
  terminal.err.line(`running ${script.name}`);
  await runInstallScript(script, place.directory, { environment, signal });
  terminal.err.line("the dotfiles are installed");
  return exitCodes.ok;
}

/** Links all dotfiles of a clone into a directory, whose own symbolic links are resolved first. */
async function linkAll(
  clone: string,
  home: string,
  options: Options,
  needs: DotfilesNeeds,
): Promise<number> {
  const { err } = needs.terminal;
  const directory = await existingDirectory(home);
  const links = await planLinks(await realpath(clone), directory);
  if (links.length === 0) {
    err.line("nothing to do: there is no install script, and all dotfiles are linked");
    return exitCodes.ok;
  }
  const files = countText(links.length, "dotfile");
  await confirm(`Link ${files} into ${directory}?${keptText(links)}`, options, needs);
  for (const link of links) {
    needs.signal.throwIfAborted();
    const backup = await makeLink(link);
    err.line(`linked ${link.path}${backup === undefined ? "" : `, the old one is ${backup}`}`);
  }
  err.line("the dotfiles are installed");
  return exitCodes.ok;
}

function keptText(links: readonly Link[]): string {
  const count = links.filter(({ isTaken }) => isTaken).length;
  return count === 0 ? "" : ` ${countText(count, "existing one")} will be kept as .bak.`;
}

async function existingDirectory(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    throw new CommandError(`cannot link into ${path}: ${systemErrorCode(error)}`, {
      hint: "pass an existing directory with --symlink-dir",
      exitCode: exitCodes.notFound,
      cause: error,
    });
  }
}

/** Asks for confirmation; without a terminal, `--yes` has been required before anything was changed. */
async function confirm(
  question: string,
  { yes }: Pick<Options, "yes">,
  { terminal }: Pick<DotfilesNeeds, "terminal">,
): Promise<void> {
  if (yes || (await terminal.prompts.confirm(question))) return;
  throw new CommandError("the dotfiles were not installed");
}

/**
 * Reads what to clone, and where to. Refuses words that Git would take for flags, and its syntax for programs that
 * carry a repository, such as `ext::`.
 */
function readPlace(
  { repository, branch, repoDir = "dotfiles" }: Options,
  configDirectory: string,
): ClonePlace {
  for (const [name, value] of Object.entries({ repository, branch })) {
    if (value !== undefined && /^(?:-|$|\w+::)/.test(value)) {
      throw new UsageError(`"${value}" is not a ${name}`);
    }
  }
  return {
    // Git stores the absolute path of a local repository.
    repository: existsSync(repository) ? resolve(repository) : repository,
    branch,
    directory: resolve(configDirectory, repoDir),
  };
}

function backupPath(directory: string, now: number): string {
  return `${directory}_backup_${new Date(now).toISOString().slice(0, 19)}Z`;
}
