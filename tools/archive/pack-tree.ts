import { pack } from "tar-stream";

/** A file of an archive. */
export interface ArchiveFile {
  /** The path within the directory of the archive. */
  readonly path: string;
  readonly content: Buffer;
  readonly isProgram: boolean;
}

export function plain(path: string, content: Buffer): ArchiveFile {
  return { path, content, isProgram: false };
}

export function program(path: string, content: Buffer): ArchiveFile {
  return { path, content, isProgram: true };
}

export function json(path: string, value: unknown): ArchiveFile {
  return plain(path, Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`));
}

/** The time of every file: the same inputs produce the same archive. */
const modifiedAt = new Date("2000-01-01T00:00:00Z");

/**
 * Packs files and their directories into one directory, sorted by path and owned by root. Leaves out the directories
 * of `before`, the files of an earlier part of the same archive.
 */
export function packTree(
  directory: string,
  files: readonly ArchiveFile[],
  before: readonly ArchiveFile[] = [],
): AsyncIterable<Buffer> {
  const archive = pack();
  const sorted = files
    .map((file) => ({ ...file, path: `${directory}/${file.path}` }))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const directories = new Set(before.flatMap(({ path }) => parentsOf(`${directory}/${path}`)));
  const add = async (): Promise<void> => {
    for (const { path, content, isProgram } of sorted) {
      for (const name of parentsOf(path)) {
        if (directories.has(name)) continue;
        directories.add(name);
        archive.entry({ name, type: "directory", mode: 0o755, mtime: modifiedAt });
      }
      await new Promise<void>((resolve, reject) => {
        const mode = isProgram ? 0o755 : 0o644;
        const header = { name: path, mode, mtime: modifiedAt, size: content.length };
        archive.entry(header, content, (error) => (error ? reject(error) : resolve()));
      });
    }
    archive.finalize();
  };
  add().catch((error: unknown) => archive.destroy(error instanceof Error ? error : undefined));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types of tar-stream do not say that it yields bytes
  return archive as AsyncIterable<Buffer>;
}

/** Returns the directories above a path, outermost first. */
function parentsOf(path: string): readonly string[] {
  const names = path.split("/").slice(0, -1);
  return names.map((_, index) => `${names.slice(0, index + 1).join("/")}/`);
}

/** The length of the two empty blocks at the end of a tar. */
const endBytes = 1024;

/** Yields a tar without its end, so that another one can follow. */
export async function* withoutEnd(tar: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held = Buffer.alloc(0);
  for await (const chunk of tar) {
    const bytes = Buffer.concat([held, chunk]);
    const count = Math.max(0, bytes.length - endBytes);
    yield bytes.subarray(0, count);
    held = bytes.subarray(count);
  }
}
