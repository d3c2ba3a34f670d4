import type { Dirent } from "node:fs";
import { access, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { configFiles } from "./devcontainer-config.ts";
import type { DevcontainerPlace } from "./devcontainers.ts";
import type { Engine } from "./engine.ts";

/** The maximum number of repositories that are searched, and of configurations found in one. */
const maxRepositories = 64;
const maxConfigurations = 32;

/**
 * Finds the projects of a workspace that have a dev container: in the repository that is the directory, or else in
 * those right below it. What Git ignores is left out (docs/protocol/agent.md §8.6).
 */
export async function discoverProjects(
  directory: string,
  engine: Engine,
  signal: AbortSignal,
): Promise<readonly DevcontainerPlace[]> {
  const found: DevcontainerPlace[] = [];
  for (const repository of await repositoriesOf(directory)) {
    found.push(...(await projectsOf(repository, engine, signal)));
  }
  return found;
}

async function repositoriesOf(directory: string): Promise<readonly string[]> {
  if (directory === "") return [];
  if (await isRepository(directory)) return [directory];
  let entries: readonly Dirent[];
  try {
    entries = await readdir(directory, { withFileTypes: true });
  } catch {
    // Absent: a start script may have failed to create it.
    return [];
  }
  const repositories: string[] = [];
  for (const entry of entries) {
    if (repositories.length >= maxRepositories) break;
    const path = join(directory, entry.name);
    if (entry.isDirectory() && (await isRepository(path))) repositories.push(path);
  }
  return repositories;
}

async function isRepository(path: string): Promise<boolean> {
  return access(join(path, ".git")).then(
    () => true,
    () => false,
  );
}

async function projectsOf(
  repository: string,
  engine: Engine,
  signal: AbortSignal,
): Promise<readonly DevcontainerPlace[]> {
  const patterns = configFiles.map((file) => `:(glob)**/${file}`);
  const flags = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"];
  const args = ["-C", repository, "-c", "core.fsmonitor=false", ...flags, ...patterns];
  const { exitCode, stdout } = await engine.runProgram({ file: "git", args }, { signal });
  const paths = exitCode === 0 ? stdout.split("\0").filter((path) => path !== "") : [];
  return paths.slice(0, maxConfigurations).map((path) => placeOfConfig(join(repository, path)));
}

/** Returns the place of a configuration file: the folder above it, or above its `.devcontainer`. */
function placeOfConfig(configPath: string): DevcontainerPlace {
  const folder = dirname(configPath);
  const isInside = basename(folder) === ".devcontainer";
  return { folder: isInside ? dirname(folder) : folder, configPath };
}
