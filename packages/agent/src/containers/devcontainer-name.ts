import { basename, dirname } from "node:path";

/** The maximum length of a name. */
const maxLength = 64;
/** The number of parent directories that a name may be preceded by. */
const maxParents = 5;
/** The names that servers accept for agents (docs/protocol/rpc.md §7.12). */
const agentName = /^[a-z0-9](-?[a-z0-9])*$/i;

interface NameSource {
  readonly folder: string;
  /** The name that the template gives, if servers accept it (default: none). */
  readonly templateName?: string;
  /** The name of the container, for a folder whose name has no usable character; empty if there is none. */
  readonly containerName: string;
}

/** Reports whether servers accept a name for an agent. */
export function isAgentName(name: string): boolean {
  return name.length <= maxLength && agentName.test(name);
}

/**
 * Returns the names that a dev container may get, the preferred one first: the template's, that of its folder, the same
 * preceded by up to five parent directories, and that of its container (docs/protocol/agent.md §8.6).
 */
export function devcontainerNames({
  folder,
  templateName = "",
  containerName,
}: NameSource): readonly string[] {
  const names = [templateName];
  let words = basename(folder);
  for (let parent = dirname(folder), depth = 0; depth <= maxParents; depth += 1) {
    names.push(plainName(words));
    words = `${basename(parent)}-${words}`;
    if (parent === dirname(parent)) break;
    parent = dirname(parent);
  }
  names.push(plainName(containerName));
  return [...new Set(names)].filter((name) => isAgentName(name));
}

/** Returns the first name that is not taken; "dev-container" and a number if all are. */
export function freeName(names: readonly string[], isTaken: (name: string) => boolean): string {
  const found = names.find((name) => !isTaken(name));
  if (found !== undefined) return found;
  for (let number = 1; ; number += 1) {
    const name = `dev-container-${number}`;
    if (!isTaken(name)) return name;
  }
}

function plainName(words: string): string {
  return words
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^-/, "")
    .slice(0, maxLength)
    .replace(/-$/, "");
}
