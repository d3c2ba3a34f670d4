import { constants } from "node:fs";
import { lstat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { getFile } from "@slipway/api/files/routes";
import { getTemplateVersion } from "@slipway/api/templates/version-routes";
import { systemErrorCode } from "@slipway/runtime";
import { makeDirectories } from "@slipway/runtime/make-directories";
import { extract } from "tar-stream";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { CommandError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { ignoredYesFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import {
  findTemplate,
  findVersion,
  templateArgument,
} from "../../resources/templates/template-reference.ts";

export const command = defineCommand({
  summary: "download a template's files to a directory",
  arguments: {
    template: templateArgument,
    directory: {
      summary: "target directory, or file with --tar (default: the template's name)",
      required: false,
      completion: "files",
    },
  },
  flags: {
    yes: ignoredYesFlag,
    version: {
      kind: "text",
      value: "name",
      completion: "version",
      summary: "template version (default: the active version)",
    },
    tar: { kind: "switch", summary: "write the pushed tar as a single file" },
    force: { kind: "switch", summary: "overwrite existing files" },
  },
  examples: [
    { line: "slipway templates pull small", summary: "into the directory small" },
    { line: "slipway templates pull small old --version v1", summary: "an older version" },
    { line: "slipway templates pull small --tar", summary: "into small.tar" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const { err } = terminal;
  const template = await findTemplate(client, options.template, { settings, signal });
  const version =
    options.version === undefined
      ? await client.call(getTemplateVersion, {
          params: { version: template.active_version_id },
          signal,
        })
      : await findVersion(client, template, options.version, signal);
  const tar = await client.download(getFile, { params: { file: version.job.file_id }, signal });
  if (options.tar) {
    const path = options.directory ?? `${options.template}.tar`;
    await writeTar(path, tar, options.force || options.yes);
    err.line(`wrote ${path}`);
    return exitCodes.ok;
  }
  // A name from the server's answer is not a safe path for writing.
  const directory = options.directory ?? options.template;
  const { names, leftOut } = await unpack(tar, directory, {
    overwrite: options.force || options.yes,
  });
  for (const name of leftOut)
    err.line(`warning: ${name} is no regular file of a template and was skipped`);
  for (const name of names) err.line(`wrote ${directory}/${name}`);
  err.line(`this is version ${version.name} of ${template.name}`);
  return exitCodes.ok;
}

async function writeTar(path: string, tar: Uint8Array, overwrite: boolean): Promise<void> {
  try {
    await writeFile(path, tar, { flag: overwrite ? "w" : "wx" });
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
    throw new CommandError(`${path} already exists and was not changed`, {
      hint: "overwrite it with --force",
    });
  }
}

interface PulledFile {
  /** Relative, with `/`, and below the directory, regardless of the tar. */
  readonly name: string;
  readonly mode: number;
  readonly bytes: Uint8Array;
}

/** Names of written files, and of skipped entries: those that are not regular files, or are files of Git. */
interface UnpackedFiles {
  readonly names: readonly string[];
  readonly leftOut: readonly string[];
}

/**
 * Writes the files of a tar below a directory. Checks all of them first: throws `CommandError`, without writing
 * anything, for a path outside of the directory, for a link in place of a file, and for a file that exists unless
 * `overwrite`.
 */
export async function unpack(
  tar: Uint8Array,
  directory: string,
  { overwrite }: { readonly overwrite: boolean },
): Promise<UnpackedFiles> {
  const { files, leftOut } = await readTar(tar);
  for (const { name } of files) await refuseExisting(join(directory, name), overwrite);
  const kind = overwrite ? constants.O_TRUNC : constants.O_EXCL;
  const flag = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | kind;
  for (const file of files) {
    const path = join(directory, file.name);
    await makeDirectories(dirname(path));
    await writeFile(path, file.bytes, { flag, mode: (file.mode & 0o111) === 0 ? 0o644 : 0o755 });
  }
  return { names: files.map(({ name }) => name), leftOut };
}

async function readTar(
  tar: Uint8Array,
): Promise<{ readonly files: readonly PulledFile[]; readonly leftOut: readonly string[] }> {
  const archive = extract();
  archive.end(tar);
  const files: PulledFile[] = [];
  const leftOut: string[] = [];
  for await (const entry of archive) {
    const { name, mode, type } = entry.header;
    const size: number | null | undefined = entry.header.size;
    // The library takes an unreadable size for an infinite one.
    if (size === null)
      throw new CommandError("the template is not a tar archive: a file has no size");
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry) if (chunk instanceof Uint8Array) chunks.push(chunk);
    if (type === "directory") continue;
    const path = safeName(name);
    if (type === "file" && !isOfGit(path))
      files.push({ name: path, mode: mode ?? 0, bytes: Buffer.concat(chunks) });
    else leftOut.push(path);
  }
  return { files, leftOut };
}

function safeName(name: string): string {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  const isUnsafe = parts.length === 0 || parts.includes("..") || /^\/|[\\\0]|^[A-Za-z]:/.test(name);
  if (!isUnsafe) return parts.join("/");
  throw new CommandError(
    `the template has a file ${JSON.stringify(name.slice(0, 100))}, which is outside its directory; nothing was written`,
  );
}

/** Throws `CommandError` for a file that exists; with `overwrite`, for a link, a directory or a device in its place. */
async function refuseExisting(path: string, overwrite: boolean): Promise<void> {
  // An inaccessible path is reported when it is written.
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined || (overwrite && found.isFile())) return;
  if (overwrite) {
    throw new CommandError(`${path} is not a regular file; nothing was written`, {
      hint: "remove it first",
    });
  }
  throw new CommandError(`${path} already exists; nothing was written`, {
    hint: "overwrite existing files with --force",
  });
}

/** Git runs programs that it finds in its directory, and excludes the directory from archives itself. */
function isOfGit(path: string): boolean {
  return path.split("/").some((part) => part.toLowerCase() === ".git");
}
