import { chown, readFile, readlink, realpath, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import { countText, systemErrorCode } from "@slipway/runtime";
import { makeDirectories } from "@slipway/runtime/make-directories";
import { replaceFile } from "@slipway/runtime/replace-file";

import { CommandError } from "../../command/errors.ts";

/** The maximum size of a configuration, in bytes. */
export const maxConfigBytes = 1024 * 1024;
const newFileMode = 0o600;
const newDirectoryMode = 0o700;
const modeBits = 0o7777;

/** A configuration as it was read. */
export interface ConfigFile {
  /** The file itself, to which `~/.ssh/config` may be a link. */
  readonly path: string;
  /** Empty if there is no file yet. */
  readonly text: string;
  /** Undefined if there is no file yet. */
  readonly attributes: FileAttributes | undefined;
}

interface FileAttributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Reads a configuration, which need not exist. Throws `CommandError` for anything but a text of at most `maxConfigBytes`. */
export async function readConfigFile(name: string): Promise<ConfigFile> {
  const path = await targetOf(resolve(name));
  const found = await stat(path).catch((error: unknown) => {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  });
  if (found === undefined) return { path, text: "", attributes: undefined };
  if (!found.isFile()) throw new CommandError(`${path} is not a file`);
  checkSize(path, found.size);
  const { mode, uid, gid } = found;
  return { path, text: await readUtf8(path), attributes: { mode: mode & modeBits, uid, gid } };
}

/**
 * Replaces a configuration atomically, preserving its mode and owner. Throws `CommandError` if it cannot be written,
 * or if another process has changed it since it was read.
 */
export async function writeConfigFile(file: ConfigFile, text: string): Promise<void> {
  checkSize(file.path, Buffer.byteLength(text));
  const now = await readConfigFile(file.path);
  if (now.text !== file.text) {
    throw new CommandError(`${file.path} has changed meanwhile: nothing was written`, {
      hint: "run the command again",
    });
  }
  try {
    await makeDirectories(dirname(file.path), newDirectoryMode);
    await replaceFile(file.path, text, {
      mode: file.attributes?.mode ?? newFileMode,
      isDurable: true,
    });
  } catch (error) {
    throw new CommandError(`cannot write ${file.path}`, {
      cause: error,
      hint: "choose another file with --ssh-config-file",
    });
  }
  if (file.attributes !== undefined) await keepOwner(file.path, file.attributes);
}

/** Checks a size before reading or writing: a written file must be readable the next time. */
function checkSize(path: string, size: number): void {
  if (size <= maxConfigBytes) return;
  throw new CommandError(
    `${path} has ${countText(size, "byte")}, wanted at most ${maxConfigBytes}`,
  );
}

/** Returns the file at the end of a chain of links, even if it does not exist. */
async function targetOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
  // Either nothing exists, or a dangling link; `realpath` has thrown for a loop of links.
  const target = await readlink(path).catch(() => undefined);
  return target === undefined ? path : targetOf(resolve(dirname(path), target));
}

async function readUtf8(path: string): Promise<string> {
  const bytes = await readFile(path);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    // Decoding and re-encoding would change lines that are not ours.
    throw new CommandError(`${path} is not a text in UTF-8`, { cause: error });
  }
}

/** Returns a file that root has replaced to its owner; other users own what they write. */
async function keepOwner(path: string, { uid, gid }: FileAttributes): Promise<void> {
  const written = await stat(path);
  if (written.uid !== uid || written.gid !== gid) await chown(path, uid, gid);
}

/** The lines around our section of an SSH configuration. */
export const sectionMarkers = {
  start: "# >>> slipway config-ssh >>>",
  end: "# <<< slipway config-ssh <<<",
} as const;

/** Our section of a configuration: the numbers of its first and last line, from 0. */
interface Section {
  readonly first: number;
  readonly last: number;
}

/**
 * Returns a configuration with `lines` as our section, which is added at the end if there is none; undefined removes
 * it. All other lines stay unchanged. Throws `CommandError` if the markers are ambiguous.
 */
export function replaceSection(text: string, lines: readonly string[] | undefined): string {
  const all = text.split("\n");
  const section = findSection(all);
  const ours = lines === undefined ? [] : [sectionMarkers.start, ...lines, sectionMarkers.end];
  if (section !== undefined) {
    return all.toSpliced(section.first, section.last - section.first + 1, ...ours).join("\n");
  }
  if (ours.length === 0) return text;
  const before = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  return `${before}${ours.join("\n")}\n`;
}

function findSection(lines: readonly string[]): Section | undefined {
  const starts = linesThatAre(sectionMarkers.start, lines);
  const ends = linesThatAre(sectionMarkers.end, lines);
  const [first, secondStart] = starts;
  const [last, secondEnd] = ends;
  if (first === undefined && last === undefined) return undefined;
  if (first === undefined) throw broken(last, "a section of slipway ends that does not begin");
  if (secondStart !== undefined) throw broken(secondStart, "a second section of slipway begins");
  if (last === undefined) throw broken(first, "the section of slipway does not end");
  if (secondEnd !== undefined) throw broken(secondEnd, "a second section of slipway ends");
  if (last < first) throw broken(last, "the section of slipway ends before it begins");
  return { first, last };
}

function linesThatAre(marker: string, lines: readonly string[]): readonly number[] {
  return lines.flatMap((line, index) => (line.trim() === marker ? [index] : []));
}

function broken(index: number | undefined, problem: string): CommandError {
  return new CommandError(`line ${(index ?? 0) + 1}: ${problem}`, {
    hint: `delete the lines between "${sectionMarkers.start}" and "${sectionMarkers.end}", and both of these`,
  });
}
