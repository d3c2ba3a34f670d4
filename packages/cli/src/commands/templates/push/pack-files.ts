import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";

import { maxFileBytes } from "@slipway/api/files/routes";
import { pack } from "tar-stream";

import { CommandError } from "../../../command/errors.ts";
import { templateFileName, type TemplateSource } from "./template-source.ts";

/** A file to pack, and whether it is executable. */
interface MeasuredFile extends TemplateFile {
  readonly bytes: number;
  readonly isExecutable: boolean;
}

/** The overhead of a file in a tar, in bytes. */
const blockBytes = 512;

/**
 * Packs the files into a tar: only their names, bytes and executable bits, so that the same files give the same tar.
 * Throws `CommandError` if it would be larger than a server accepts.
 */
export async function packFiles(files: readonly TemplateFile[]): Promise<Uint8Array> {
  const measured = await Promise.all(files.map(measure));
  checkSize(measured);
  const tar = pack();
  const collected = buffer(tar);
  for (const file of measured) {
    const mode = file.isExecutable ? 0o755 : 0o644;
    const header = { name: file.name, mode, mtime: new Date(0), uid: 0, gid: 0 };
    tar.entry(header, await readFile(file.path));
  }
  tar.finalize();
  return collected;
}

async function measure(file: TemplateFile): Promise<MeasuredFile> {
  const { size, mode } = await stat(file.path);
  return { ...file, bytes: size, isExecutable: (mode & 0o111) !== 0 };
}

/** Checks sizes before anything is read: a stray disk image must not fill the memory. */
function checkSize(files: readonly MeasuredFile[]): void {
  const total = files.reduce(
    (sum, { bytes }) => sum + blockBytes + Math.ceil(bytes / blockBytes) * blockBytes,
    2 * blockBytes,
  );
  if (total <= maxFileBytes) return;
  const largest = files.toSorted((a, b) => b.bytes - a.bytes).slice(0, 3);
  const names = largest.map(({ name, bytes }) => `${name} (${mebibytes(bytes)})`).join(", ");
  throw new CommandError(
    `the template is ${mebibytes(total)}, wanted at most ${mebibytes(maxFileBytes)}`,
    {
      hint: `the largest files are ${names}`,
    },
  );
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** A file of a template: its path, and its name inside the tar. */
interface TemplateFile {
  readonly path: string;
  readonly name: string;
}

interface TemplateFiles {
  readonly files: readonly TemplateFile[];
  /** Names of entries that cannot be packed: links, sockets and others that are not regular files. */
  readonly leftOut: readonly string[];
}

const skippedDirectories: ReadonlySet<string> = new Set([".git", "node_modules", ".terraform"]);

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
