import { errorText } from "@slipway/runtime";
import { extract } from "tar-stream";

import { type ArchiveEntry, entryPath, linkProblem, throughLinkProblem } from "./archive-path.ts";
import {
  maxArchiveBytes,
  maxArchiveEntries,
  maxDefinitionBytes,
  maxReadmeBytes,
} from "./limits.ts";

/** The parts of a template's archive that the server itself reads. Drivers read the rest. */
export interface TemplateFiles {
  /** The path of the definition within the archive. */
  readonly definitionPath: string;
  readonly definitionText: string;
  /** The text of `README.md`; empty if there is none. */
  readonly readme: string;
}

/** A Terraform configuration without `slipway.yaml`: its driver reads it. */
export interface ConfigurationFiles {
  /** The folder of the configuration within the archive, with a slash at its end; empty for the top. */
  readonly configurationFolder: string;
  /** The text of `README.md`; empty if there is none. */
  readonly readme: string;
}

/** The reason for rejecting an archive as a template: a sentence for the user who pushed it. */
export interface ArchiveProblem {
  readonly problem: string;
}

/**
 * Finds `slipway.yaml` or a Terraform configuration, and `README.md`, at the top of a tar or in its only top folder. Checks every entry, so that a
 * stored archive has no path out of its directory, no device and no link that leads out. Never throws because of the
 * archive's content.
 */
export async function readTemplateArchive(
  tar: Uint8Array,
): Promise<TemplateFiles | ConfigurationFiles | ArchiveProblem> {
  if (tar.length > maxArchiveBytes)
    return { problem: `found ${tar.length} bytes, wanted at most ${maxArchiveBytes}` };
  const compression = compressionOf(tar);
  if (compression !== undefined)
    return { problem: `found a ${compression} archive, wanted a plain tar` };
  const listing = await list(tar);
  return "problem" in listing ? listing : chooseFiles(listing.files);
}

interface ArchiveFile extends ArchiveEntry {
  readonly isDirectory: boolean;
  /** The content; undefined for files that the server does not read. */
  readonly bytes: Uint8Array | undefined;
}

const definitionNames = ["slipway.yaml", "slipway.yml"];
const readmeName = "README.md";

async function list(
  tar: Uint8Array,
): Promise<{ readonly files: readonly ArchiveFile[] } | ArchiveProblem> {
  const archive = extract();
  archive.end(tar);
  const files: ArchiveFile[] = [];
  const entries: ArchiveEntry[] = [];
  try {
    for await (const entry of archive) {
      if (entries.length >= maxArchiveEntries)
        return { problem: `found more than ${maxArchiveEntries} entries` };
      const file = await readEntry(entry);
      if ("problem" in file) return file;
      entries.push(file);
      if (!file.isDirectory) files.push(file);
    }
  } catch (error) {
    return { problem: `is not a tar archive: ${errorText(error)}` };
  }
  if (entries.length === 0) {
    return { problem: "found an empty archive, wanted one with slipway.yaml" };
  }
  const problem = throughLinkProblem(entries);
  return problem === undefined ? { files } : { problem };
}

interface Entry extends AsyncIterable<unknown> {
  readonly header: {
    readonly name: string;
    readonly type?: string | null | undefined;
    readonly linkname?: string | null | undefined;
    readonly size?: number | null | undefined;
  };
  resume(): unknown;
}

async function readEntry(entry: Entry): Promise<ArchiveFile | ArchiveProblem> {
  const { name, linkname, size = 0 } = entry.header;
  const type = entry.header.type ?? "file";
  const path = entryPath(name);
  if (typeof path !== "string") return path;
  // The library would read an unparsable size as endless.
  if (size === null) return { problem: `found no size of ${path} in its header` };
  if (type === "symlink" || type === "link") {
    const target = linkname ?? "";
    const problem = linkProblem(path, target, type);
    if (problem !== undefined) return { problem };
    entry.resume();
    return { path, link: { type, target }, isDirectory: false, bytes: undefined };
  }
  if (type === "directory") {
    entry.resume();
    return { path, link: undefined, isDirectory: true, bytes: undefined };
  }
  if (!["file", "contiguous-file"].includes(type)) {
    return { problem: `found a ${type} at ${path}, wanted files, directories and links only` };
  }
  const limit = readLimit(path);
  if (limit === undefined) {
    entry.resume();
    return { path, link: undefined, isDirectory: false, bytes: undefined };
  }
  if (size > limit) return { problem: `found ${size} bytes in ${path}, wanted at most ${limit}` };
  const bytes = new Uint8Array(size);
  let length = 0;
  for await (const chunk of entry) {
    if (!(chunk instanceof Uint8Array)) continue;
    bytes.set(chunk, length);
    length += chunk.length;
  }
  return { path, link: undefined, isDirectory: false, bytes: bytes.subarray(0, length) };
}

/** Returns the maximum bytes to read of a file that may be the definition or the readme; undefined for all others. */
function readLimit(path: string): number | undefined {
  const parts = path.split("/");
  if (parts.length > 2) return undefined;
  const name = parts.at(-1) ?? "";
  if (definitionNames.includes(name)) return maxDefinitionBytes;
  return name === readmeName ? maxReadmeBytes : undefined;
}

function chooseFiles(
  files: readonly ArchiveFile[],
): TemplateFiles | ConfigurationFiles | ArchiveProblem {
  const inTop = files.filter(({ path }) => definitionNames.includes(path));
  const folder = inTop.length === 0 ? onlyFolder(files) : "";
  const found = files.filter(({ path }) => definitionNames.some((name) => path === folder + name));
  const [definition, second] = found;
  if (definition === undefined) return chooseConfiguration(files);
  if (second !== undefined)
    return { problem: `found both ${definition.path} and ${second.path}, wanted one of them` };
  if (definition.bytes === undefined)
    return { problem: `found a link at ${definition.path}, wanted a file` };
  const text = decode(definition.bytes);
  if (text === undefined) return { problem: `${definition.path} is not UTF-8 text` };
  return { definitionPath: definition.path, definitionText: text, readme: readmeIn(folder, files) };
}

function chooseConfiguration(files: readonly ArchiveFile[]): ConfigurationFiles | ArchiveProblem {
  const folders = ["", onlyFolder(files)];
  const folder = folders.find((one) =>
    files.some(({ path }) => path.startsWith(one) && isConfiguration(path.slice(one.length))),
  );
  if (folder === undefined) return { problem: notFoundText(files) };
  return { configurationFolder: folder, readme: readmeIn(folder, files) };
}

/** Returns whether a name is that of a file of a Terraform configuration, and of none in a folder. */
function isConfiguration(name: string): boolean {
  return /^[^/]+\.(tf|tofu)(\.json)?$/.test(name);
}

function readmeIn(folder: string, files: readonly ArchiveFile[]): string {
  const readme = files.findLast(({ path }) => path === folder + readmeName)?.bytes;
  // PostgreSQL does not store NUL; bytes that are not UTF-8 become U+FFFD.
  return readme === undefined ? "" : new TextDecoder().decode(readme).replaceAll("\0", "\uFFFD");
}

/** Returns `name/` of the folder that contains everything; empty if there is none. */
function onlyFolder(files: readonly ArchiveFile[]): string {
  const tops = new Set(files.map(({ path }) => path.slice(0, path.indexOf("/") + 1)));
  const [top = ""] = tops;
  return tops.size === 1 ? top : "";
}

function notFoundText(files: readonly ArchiveFile[]): string {
  const wanted =
    "looked for slipway.yaml (or slipway.yml), or .tf files, at the top of the archive";
  const deeper = files.find(({ path }) =>
    definitionNames.some((name) => path.endsWith(`/${name}`)),
  );
  if (deeper !== undefined) return `${wanted}, found it only at ${deeper.path}`;
  const paths = files.map(({ path }) => path);
  const shown = (names: readonly string[]) =>
    `${names.slice(0, 5).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""}`;
  return `${wanted}, found ${paths.length === 0 ? "no file" : shown(paths)}`;
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined; // not UTF-8
  }
}

function compressionOf(bytes: Uint8Array): string | undefined {
  const starts = {
    gzip: [0x1f, 0x8b],
    zip: [0x50, 0x4b, 0x03, 0x04],
    zstd: [0x28, 0xb5, 0x2f, 0xfd],
    bzip2: [0x42, 0x5a, 0x68],
    xz: [0xfd, 0x37, 0x7a],
  };
  return Object.entries(starts).find(([, start]) =>
    start.every((byte, index) => bytes[index] === byte),
  )?.[0];
}
