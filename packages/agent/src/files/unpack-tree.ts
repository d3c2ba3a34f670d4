import { mkdir, realpath, symlink } from "node:fs/promises";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { systemErrorCode } from "@slipway/runtime";
import { extract, type Header } from "tar-stream";

import { fileTurns } from "../process/turns.ts";
import { FileError, namedError } from "./errors.ts";
import { HeldDirectory } from "./held-directory.ts";
import { makeParents, replaceContent, type WriteCondition } from "./write-file.ts";

/** The default maximum number of entries of an archive. */
const usualEntries = 1_000_000;
/** The maximum length of a name in an archive, and of its parts, in bytes. */
const maxNameBytes = 4_096;
const maxPartBytes = 255;
/** The maximum depth of a tree: each level holds a descriptor. */
const maxDepth = 128;
/** The permissions that an archive may give; set-user-id and the like are left out. */
const permissionBits = 0o777;

export interface UnpackOptions {
  /** True to replace files that exist. */
  readonly overwrites: boolean;
  /** The maximum number of entries (default: 1,000,000). */
  readonly maxEntries?: number;
  readonly owner: object;
  readonly signal: AbortSignal;
}

export interface UnpackedTree {
  readonly files: number;
  readonly directories: number;
  readonly bytes: number;
}

/**
 * Unpacks a tar into a directory, which is created. Nothing is written outside of it or through a link: neither one that
 * the archive brings nor one that is there. Each file is replaced as a whole; a failure leaves what came before. Throws
 * `FileError`, the errors of the system with the names of the entries, and those of the stream.
 */
export async function unpackTree(
  path: Buffer,
  tar: Readable,
  options: UnpackOptions,
): Promise<UnpackedTree> {
  const { owner, maxEntries = usualEntries } = options;
  const root = await fileTurns.run(owner, async () => {
    await makeParents(path);
    await makeDirectory(path);
    // The directory itself may be a link.
    return HeldDirectory.open(await realpath(path, "buffer"));
  });
  await using target = new TargetTree(root, owner);
  const archive = extract();
  const reading = pipeline(tar, archive, { signal: options.signal });
  // The loop below fails too, with the same error or with a better one.
  reading.catch(() => undefined);
  const unpacked = { files: 0, directories: 0, bytes: 0 };
  let entries = 0;
  try {
    for await (const entry of archive) {
      entries += 1;
      if (entries > maxEntries) {
        throw new FileError("too-large", `the archive has more than ${maxEntries} entries`);
      }
      const { header } = entry;
      await unpackEntry(target, entry, options);
      if (header.type === "directory") unpacked.directories += 1;
      else unpacked.files += 1;
      unpacked.bytes += header.size ?? 0;
    }
    await reading;
    return unpacked;
  } catch (error) {
    archive.destroy();
    if (!isOfArchive(error)) throw error;
    throw new FileError("invalid", "the body is not a tar", { cause: error });
  }
}

/** Returns whether an error is one of the parser, which has no codes. */
function isOfArchive(error: unknown): boolean {
  return error instanceof Error && /tar header|Unexpected end of data/i.test(error.message);
}

interface Entry extends AsyncIterable<unknown> {
  readonly header: Header;
  resume(): unknown;
}

async function unpackEntry(
  target: TargetTree,
  entry: Entry,
  options: UnpackOptions,
): Promise<void> {
  const { header } = entry;
  const { type, linkname } = header;
  const parts = partsOf(header.name);
  const last = parts.at(-1);
  try {
    // The library would read an unparsable size as endless.
    const size: number | null | undefined = header.size;
    if (size === null) throw new FileError("invalid", "the entry has no size");
    if (type === "directory") {
      await target.enter(parts);
      entry.resume();
    } else if (last === undefined) throw new FileError("invalid", "the entry has no name");
    else if (type === "symlink") {
      const parent = await target.enter(parts.slice(0, -1));
      await fileTurns.run(options.owner, () =>
        symlink(linkname ?? "", parent.child(Buffer.from(last))),
      );
      entry.resume();
    } else if (type === "file" || type === "contiguous-file") {
      const parent = await target.enter(parts.slice(0, -1));
      await writeEntry(parent.child(Buffer.from(last)), entry, options);
    } else throw new FileError("invalid", `the archive has a ${type ?? "nameless entry"} here`);
  } catch (error) {
    throw namedError(header.name.slice(0, 200), error);
  }
}

async function writeEntry(
  path: Buffer,
  entry: Entry,
  { overwrites, owner }: UnpackOptions,
): Promise<void> {
  const { mode, mtime } = entry.header;
  const condition: WriteCondition = overwrites ? { kind: "any" } : { kind: "absent" };
  await replaceContent(path, contentOf(entry), {
    condition,
    mode: mode === undefined ? undefined : mode & permissionBits,
    modifiedAtMs: mtime?.getTime(),
    makesParents: false,
    followsLinks: false,
    owner,
  });
}

async function* contentOf(entry: Entry): AsyncGenerator<Uint8Array> {
  for await (const chunk of entry) if (chunk instanceof Uint8Array) yield chunk;
}

/** Splits the name of an entry. Throws `FileError` for one that leads out of the tree. */
function partsOf(name: string): readonly string[] {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  const refuse = (reason: string): FileError =>
    new FileError(
      "invalid",
      `the archive has an entry ${JSON.stringify(name.slice(0, 200))}: ${reason}`,
    );
  if (name.startsWith("/")) throw refuse("its path is absolute");
  if (parts.includes("..")) throw refuse("its path leads upwards");
  if (name.includes("\0")) throw refuse("its path has a zero byte");
  if (parts.length > maxDepth) throw refuse(`it is nested deeper than ${maxDepth} levels`);
  if (Buffer.byteLength(name) > maxNameBytes) throw refuse("its path is too long");
  if (parts.some((part) => Buffer.byteLength(part) > maxPartBytes))
    throw refuse("its name is too long");
  return parts;
}

/** The directories of a tree that is written, of which those down to the current one are open. */
class TargetTree implements AsyncDisposable {
  readonly #root: HeldDirectory;
  readonly #owner: object;
  #open: { readonly name: string; readonly directory: HeldDirectory }[] = [];

  constructor(root: HeldDirectory, owner: object) {
    this.#root = root;
    this.#owner = owner;
  }

  /** Opens a directory, and creates those on the way; a link on the way is refused. */
  async enter(parts: readonly string[]): Promise<HeldDirectory> {
    const same = this.#open.findIndex(({ name }, index) => name !== parts[index]);
    const kept = Math.min(same < 0 ? this.#open.length : same, parts.length);
    await this.#leave(kept);
    for (const name of parts.slice(kept)) {
      const parent = this.#open.at(-1)?.directory ?? this.#root;
      const path = parent.child(Buffer.from(name));
      const directory = await fileTurns.run(this.#owner, async () => {
        await makeDirectory(path);
        return HeldDirectory.open(path);
      });
      this.#open.push({ name, directory });
    }
    return this.#open.at(-1)?.directory ?? this.#root;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leave(0);
    await this.#root[Symbol.asyncDispose]();
  }

  async #leave(kept: number): Promise<void> {
    const left = this.#open.slice(kept).toReversed();
    this.#open = this.#open.slice(0, kept);
    for (const { directory } of left) await directory[Symbol.asyncDispose]();
  }
}

/** Creates a directory, unless something has its path. */
async function makeDirectory(path: Buffer): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
  }
}
