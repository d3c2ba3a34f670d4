import { existsSync } from "node:fs";
import { mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { systemErrorCode } from "@slipway/runtime";
import { makeDirectories } from "@slipway/runtime/make-directories";

import { CommandError } from "../../command/errors.ts";
import type { Output } from "../../terminal/output.ts";
import type { Git } from "./git.ts";

/** A repository to clone, and its destination. */
export interface ClonePlace {
  readonly repository: string;
  readonly branch: string | undefined;
  readonly directory: string;
}

/** The present content of the clone's directory: none, the wanted repository or another one. */
export type FoundClone =
  | { readonly kind: "none" | "same" }
  | { readonly kind: "other"; readonly repository: string };

/** The setting of a clone with the repository as it was typed: its remote may be changed, for example for pushing. */
const repositorySetting = "slipway.repository";

/** Reads the directory of the clone. Throws `CommandError` if it has something else, which must not be moved away. */
export async function readClone(
  { directory, repository }: ClonePlace,
  git: Git,
): Promise<FoundClone> {
  if (await isEmpty(directory)) return { kind: "none" };
  const own = `--git-dir=${join(directory, ".git")}`;
  const found =
    (await git.ask(own, "config", "--get", repositorySetting)) ??
    (await git.ask(own, "config", "--get", "remote.origin.url"));
  if (found === undefined) {
    throw new CommandError(`${directory} exists and is not a clone of a repository`, {
      hint: "name another directory with --repo-dir",
    });
  }
  return found === repository
    ? { kind: "same" }
    : { kind: "other", repository: withoutPassword(found) };
}

async function isEmpty(directory: string): Promise<boolean> {
  try {
    return (await readdir(directory)).length === 0;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
    return code === "ENOENT";
  }
}

/**
 * Clones a repository next to its directory and moves it there once it is complete, after what was there was renamed
 * to `backup`. Throws `CommandError` if it cannot be cloned; then nothing has changed.
 */
export async function cloneRepository(
  { repository, branch, directory, backup }: ClonePlace & { readonly backup: string | undefined },
  git: Git,
  messages: Pick<Output, "line">,
): Promise<void> {
  messages.line(`cloning ${withoutPassword(repository)} to ${directory}`);
  const parent = dirname(directory);
  await makeDirectories(parent, 0o700);
  const partial = await mkdtemp(join(parent, `${basename(directory)}_partial_`));
  try {
    const setting = `--config=${repositorySetting}=${repository}`;
    const branchWords = branch === undefined ? [] : [`--branch=${branch}`];
    if (!(await git.run("clone", "--quiet", setting, ...branchWords, "--", repository, partial))) {
      throw new CommandError("the repository was not cloned");
    }
    await updateSubmodules(partial, git, messages);
    await replaceDirectory(directory, partial, backup);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Renames a directory to `backup`, if there is one, and `next` to the directory; both or neither. */
async function replaceDirectory(
  directory: string,
  next: string,
  backup: string | undefined,
): Promise<void> {
  if (backup !== undefined) await rename(directory, backup);
  try {
    await rename(next, directory);
  } catch (error) {
    if (backup !== undefined) await rename(backup, directory);
    throw error;
  }
}

/**
 * Brings a clone up to date. A failure is only noted, as of a host that cannot be reached or of changes in the clone:
 * its present state is installed then.
 */
export async function updateClone(
  { branch, directory }: ClonePlace,
  git: Git,
  messages: Pick<Output, "line">,
): Promise<void> {
  messages.line(`updating ${directory}`);
  const inClone = ["-C", directory];
  const steps = [
    ...(branch === undefined
      ? []
      : [
          ["fetch", "--quiet"],
          ["checkout", "--quiet", branch, "--"],
        ]),
    ["pull", "--quiet", "--ff-only"],
  ];
  for (const step of steps) {
    if (await git.run(...inClone, ...step)) continue;
    messages.line(`git ${step[0]} failed: installing the dotfiles as they are in ${directory}`);
    break;
  }
  await updateSubmodules(directory, git, messages);
}

async function updateSubmodules(
  directory: string,
  git: Git,
  messages: Pick<Output, "line">,
): Promise<void> {
  // The usual case: a second process would take longer than the clone.
  if (!existsSync(join(directory, ".gitmodules"))) return;
  const words = ["-C", directory, "submodule", "--quiet", "update", "--init", "--recursive"];
  if (!(await git.run(...words))) messages.line("installing the dotfiles without some submodules");
}

/** Returns a repository as messages show it. */
function withoutPassword(repository: string): string {
  return repository.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, "$1");
}
