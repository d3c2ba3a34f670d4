import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { chmod, copyFile, readFile, readdir, rename, rm, stat, symlink } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";

import { systemErrorCode } from "@slipway/runtime";
import { makeDirectories } from "@slipway/runtime/make-directories";

import type { Binaries } from "./binaries.ts";

/** A copy of the binaries that every user may read and execute. */
export interface PostgresRuntime {
  readonly initdb: string;
  readonly postgres: string;
  /** True if this call made the copy. */
  readonly isNew: boolean;
}

/**
 * Copies the binaries to `<data>/runtime/postgres-<version>`, unless they are there. The copy gets its name only once
 * it is complete, so that a crash leaves nothing that looks finished. Copies of other versions stay: a major upgrade
 * needs the old one.
 */
export async function installRuntime(
  dataDirectory: string,
  binaries: Binaries,
): Promise<PostgresRuntime> {
  const runtimes = join(dataDirectory, "runtime");
  const target = join(runtimes, `postgres-${binaries.version}`);
  const isNew = !(await exists(target));
  if (isNew) {
    await makeDirectory(runtimes);
    await removeUnfinished(target);
    const unfinished = unfinishedName(target);
    try {
      await copyBinaries(binaries.directory, unfinished);
      await rename(unfinished, target);
    } catch (error) {
      // Removed so that a full disk does not stay full.
      await rm(unfinished, { recursive: true, force: true });
      throw error;
    }
  }
  return { initdb: join(target, "bin/initdb"), postgres: join(target, "bin/postgres"), isNew };
}

/** Returns a name beside `target` for an unfinished file or directory. */
export function unfinishedName(target: string): string {
  return `${target}.new-${randomBytes(4).toString("hex")}`;
}

/**
 * Removes leftovers of interrupted runs under names of `unfinishedName`. The caller holds the data directory
 * exclusively.
 */
export async function removeUnfinished(target: string): Promise<void> {
  const parent = dirname(target);
  for (const name of await readdir(parent)) {
    if (name.startsWith(`${basename(target)}.new-`)) {
      await rm(join(parent, name), { recursive: true, force: true });
    }
  }
}

/** Excludes files needed only to compile against PostgreSQL. */
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
  const copies = files.map(async (path) => copyReadable(join(from, path), join(to, path)));
  // All copies must have ended before the caller removes them after a failure.
  await Promise.allSettled(copies);
  await Promise.all(copies);
  await makeLinks(from, to);
}

/** Makes a directory that other users can read: the umask may be narrow, and PostgreSQL may run as another user. */
async function makeDirectory(path: string): Promise<void> {
  await makeDirectories(path);
  await chmod(path, 0o755);
}

async function copyReadable(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  const mode = /\/bin\/[^/]+$/.test(to) ? 0o755 : 0o644;
  if (((await stat(to)).mode & mode) !== mode) await chmod(to, mode);
}

/**
 * Creates the libraries' links. The package does not contain them: its install script creates them, and may have been
 * disabled.
 */
async function makeLinks(from: string, to: string): Promise<void> {
  for (const { source, target } of readLinks(
    await readFile(join(from, "pg-symlinks.json"), "utf8"),
  )) {
    const link = join(to, relative("native", target));
    await symlink(relative(dirname(target), source), link);
  }
}

interface LibraryLink {
  readonly source: string;
  readonly target: string;
}

function readLinks(json: string): LibraryLink[] {
  const content: unknown = JSON.parse(json);
  return Array.isArray(content) ? content.filter(isLink) : [];
}

function isLink(value: unknown): value is LibraryLink {
  return (
    typeof value === "object" &&
    value !== null &&
    "source" in value &&
    "target" in value &&
    typeof value.source === "string" &&
    typeof value.target === "string"
  );
}

/** Returns whether the path exists. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return false;
    throw error;
  }
}
