import { join, resolve } from "node:path";

import { configDirectory } from "@slipway/sdk/session";

import type { Engine } from "./engine.ts";
import { ContainerError } from "./errors.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** The settings of a clone with its repository, the preferred one first. */
const settings = ["slipway.repository", "remote.origin.url"] as const;

/**
 * Resolves to the repository whose dotfiles `slipway dotfiles` has installed in the workspace with these variables, so that
 * dev containers get them too; undefined if there is none. Rejects with the signal's reason.
 */
export async function findDotfiles(
  engine: Pick<Engine, "runProgram">,
  environment: Variables,
  signal: AbortSignal,
): Promise<string | undefined> {
  const place = environment["CODER_DOTFILES_REPO_DIR"] || "dotfiles";
  const file = join(resolve(configDirectory(undefined, environment), place), ".git/config");
  const pattern = `^(${settings.join("|").replaceAll(".", "\\.")})$`;
  const args = ["config", "--file", file, "--get-regexp", pattern];
  try {
    const { stdout } = await engine.runProgram({ file: "git", args }, { signal });
    const lines = stdout.split("\n");
    for (const setting of settings) {
      const found = lines.find((line) => line.startsWith(`${setting} `));
      if (found !== undefined) return found.slice(setting.length + 1);
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof ContainerError)) throw error;
    // Without Git there are no dotfiles.
    return undefined;
  }
}

const repositoryUrl = /^(?:https?|ssh|git):\/\/[\w.~:@/+%=-]+$/;
/** Such as `git@github.com:ada/dotfiles.git`. */
const sshPlace = /^[\w.-]+@[\w.-]+:[\w.~/+-]+$/;

/**
 * Reports whether a container can clone a repository: it is not a path of the workspace, and the `devcontainer` command, which
 * puts it into the text of a shell, leaves it as it is.
 */
export function isClonableInside(repository: string): boolean {
  return repositoryUrl.test(repository) || sshPlace.test(repository);
}
