import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import {
  chmod,
  copyFile,
  mkdir,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  symlink,
} from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";

import type { Binaries } from "./binaries.ts";
import { systemErrorCode } from "./errors.ts";

/** A copy of the binaries that anyone may read and run. */
export interface Runtime {
  readonly initdb: string;
  readonly postgres: string;
  /** Whether this call made the copy. */
  readonly isNew: boolean;
}

/**
 * Copies the binaries to `<data>/runtime/postgres-<version>`, unless they are there. The copy has its name only once it
 * is whole, so that a kill in the middle leaves nothing that looks finished. Copies of other versions stay: a major
 * upgrade needs the old one.
 */
export async function installRuntime(dataDirectory: string, binaries: Binaries): Promise<Runtime> {
  const runtimes = join(dataDirectory, "runtime");
  const target = join(runtimes, `postgres-${binaries.version}`);
  const isNew = !(await exists(target));
  if (isNew) {
    await makeDirectory(runtimes);
    await removeUnfinished(target);
    const unfinished = unfinishedName(target);
    await copyBinaries(binaries.directory, unfinished);
    await rename(unfinished, target);
  }
  return { initdb: join(target, "bin/initdb"), postgres: join(target, "bin/postgres"), isNew };
}

/** A name beside `target` for what is still being made. */
export function unfinishedName(target: string): string {
  return `${target}.new-${randomBytes(4).toString("hex")}`;
}

/** Removes what earlier, interrupted runs left under names of `unfinishedName`. The caller has the data directory alone. */
export async function removeUnfinished(target: string): Promise<void> {
  const parent = dirname(target);
  for (const name of await readdir(parent)) {
    if (name.startsWith(`${basename(target)}.new-`)) {
      await rm(join(parent, name), { recursive: true, force: true });
    }
  }
}

/** What only compiling against PostgreSQL needs. */
function isWanted(path: string): boolean {
  return !path.endsWith(".a") && !/(^|\/)(pgxs|pkgconfig)(\/|$)/.test(path);
}

async function copyBinaries(from: string, to: string): Promise<void> {
  await makeDirectory(to);
  const files: string[] = [];
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    const path = relative(from, join(entry.parentPath, entry.name));
    if (!isWanted(path)) continue;
    if (entry.isDirectory()) await makeDirectory(join(to, path));
    else if (entry.isFile()) files.push(path);
  }
  await Promise.all(files.map(async (path) => copyReadable(join(from, path), join(to, path))));
  await makeLinks(from, to);
}

/** The installation may have been made under a narrow umask; PostgreSQL may run as another user. */
async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, 0o755);
}

async function copyReadable(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  const mode = /\/bin\/[^/]+$/.test(to) ? 0o755 : 0o644;
  if (((await stat(to)).mode & mode) !== mode) await chmod(to, mode);
}

/** The libraries' links are not in the package: its install script makes them, which may have been switched off. */
async function makeLinks(from: string, to: string): Promise<void> {
  for (const { source, target } of readLinks(
    await readFile(join(from, "pg-symlinks.json"), "utf8"),
  )) {
    const link = join(to, relative("native", target));
    await symlink(relative(dirname(target), source), link);
  }
}

interface Link {
  readonly source: string;
  readonly target: string;
}

function readLinks(json: string): Link[] {
  const content: unknown = JSON.parse(json);
  return Array.isArray(content) ? content.filter(isLink) : [];
}

function isLink(value: unknown): value is Link {
  return (
    typeof value === "object" &&
    value !== null &&
    "source" in value &&
    "target" in value &&
    typeof value.source === "string" &&
    typeof value.target === "string"
  );
}

/** Whether something is at that path. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return false;
    throw error;
  }
}
