import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { Readable } from "node:stream";

/** The architectures of Linux with archives. */
const architectures = ["amd64", "arm64"] as const;

/** The compressions: the one that every machine can unpack, and the smaller one. */
const compressions = ["tar.gz", "tar.zst"] as const;

/** The agent and the command with Node.js, for machines without it. */
export interface ArchiveName {
  readonly architecture: (typeof architectures)[number];
  readonly compression: (typeof compressions)[number];
}

/** Returns the archive for an architecture that every machine can unpack; undefined if there is none. */
export function plainArchive(arch: string): ArchiveName | undefined {
  const architecture = architectures.find((one) => one === arch);
  return architecture && { architecture, compression: "tar.gz" };
}

export const archiveNames: readonly ArchiveName[] = architectures.flatMap((architecture) =>
  compressions.map((compression) => ({ architecture, compression })),
);

/** Names that start scripts written for Coder download. */
export const coderNames = architectures.map((architecture) => `coder-linux-${architecture}`);

/** The name of the file, in a directory and in a URL. */
export function archiveFile({ architecture, compression }: ArchiveName): string {
  return `slipway-linux-${architecture}.${compression}`;
}

/** Bytes of a file, both ends included. */
interface Part {
  readonly first: number;
  readonly last: number;
}

const chunkBytes = 128 * 1024;

/** An archive that stays open while the server runs, so that its content always matches its sum. */
export class ArchiveFile implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly path: string;
  readonly bytes: number;
  /** The SHA-256 of the content. */
  readonly sha256: Buffer;

  private constructor(file: FileHandle, path: string, bytes: number, sha256: Buffer) {
    this.#file = file;
    this.path = path;
    this.bytes = bytes;
    this.sha256 = sha256;
  }

  /** Opens the file, and reads it once. Throws the error of the system. */
  static async open(path: string): Promise<ArchiveFile> {
    const file = await open(path);
    try {
      const hash = createHash("sha256");
      const { size } = await file.stat();
      for await (const chunk of readPart(file, { first: 0, last: size - 1 })) hash.update(chunk);
      return new ArchiveFile(file, path, size, hash.digest());
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Returns the bytes from `first` to `last`. */
  read(part: Part): Readable {
    return Readable.from(readPart(this.#file, part));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

/** Reads a part; a read stream of Node.js would close the file at its end. */
async function* readPart(file: FileHandle, { first, last }: Part): AsyncGenerator<Buffer> {
  for (let position = first; position <= last;) {
    const length = Math.min(chunkBytes, last + 1 - position);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, position);
    if (bytesRead === 0) throw new Error(`the file ends at ${position}, before ${last + 1}`);
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
