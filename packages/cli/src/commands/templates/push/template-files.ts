import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { CommandError } from "../../../command/errors.ts";
import { templateFileName } from "../../../resources/templates/template-file.ts";
import type { TemplateSource } from "./template-source.ts";

/** A file of a template: its path, and its name inside the tar. */
export interface TemplateFile {
  readonly path: string;
  readonly name: string;
}

export interface TemplateFiles {
  readonly files: readonly TemplateFile[];
  /** Names of entries that cannot be packed: links, sockets and others that are not regular files. */
  readonly leftOut: readonly string[];
}

const skippedDirectories: ReadonlySet<string> = new Set([".git", "node_modules"]);

/** The maximum number of files in a template. */
const maxFiles = 5_000;

/** Lists the files of a template, sorted by name, so that the same files give the same tar. */
export async function listTemplateFiles(source: TemplateSource): Promise<TemplateFiles> {
  if (source.kind === "file") {
    return { files: [{ path: source.path, name: templateFileName }], leftOut: [] };
  }
  const names: string[] = [];
  const leftOut: string[] = [];
  await walk(source.path, "", names, leftOut);
  const files = names.toSorted().map((name) => ({ name, path: join(source.path, name) }));
  return { files, leftOut: leftOut.toSorted() };
}

async function walk(
  root: string,
  prefix: string,
  names: string[],
  leftOut: string[],
): Promise<void> {
  for (const entry of await readdir(join(root, prefix), { withFileTypes: true })) {
    const name = `${prefix}${entry.name}`;
    if (entry.isDirectory()) {
      if (!skippedDirectories.has(entry.name)) await walk(root, `${name}/`, names, leftOut);
    } else if (entry.isFile()) names.push(name);
    else leftOut.push(name);
    if (names.length > maxFiles) {
      throw new CommandError(`${root} has more than ${maxFiles} files, too many for a template`);
    }
  }
}
