/*
 * The archive of a template (tar, POSIX ustar). The page reads and replaces one file of it; everything else stays as it
 * is, byte by byte. The server checks the whole archive when it is imported.
 *
 *   offset    0    100    124    136    148    156   157      257   345    500
 *   header    name mode…  size   mtime  sum    type  linkname magic prefix
 */

const blockBytes = 512;
const definitionNames: ReadonlySet<string> = new Set(["slipway.yaml", "slipway.yml"]);

/** The definition of a template within its archive. */
export interface ArchivedDefinition {
  readonly path: string;
  readonly text: string;
  /** The other files of the archive. */
  readonly others: readonly string[];
}

interface Entry {
  readonly path: string;
  /** The offset of its header. */
  readonly offset: number;
  readonly size: number;
  readonly isFile: boolean;
}

/** Finds the definition in an archive, at its top or in its only folder; undefined if it is not there. */
export function readDefinition(archive: Uint8Array): ArchivedDefinition | undefined {
  const entries = listEntries(archive);
  const entry = entries.find(isDefinition);
  if (entry === undefined) return undefined;
  const start = entry.offset + blockBytes;
  const text = new TextDecoder().decode(archive.subarray(start, start + entry.size));
  const others = entries.filter((one) => one !== entry && one.isFile).map(({ path }) => path);
  return { path: entry.path, text, others };
}

/** Returns an archive with another text for its definition; throws `TypeError` if it has none. */
export function replaceDefinition(
  archive: Uint8Array<ArrayBuffer>,
  text: string,
): Uint8Array<ArrayBuffer> {
  const entry = listEntries(archive).find(isDefinition);
  if (entry === undefined) throw new TypeError("the archive has no slipway.yaml");
  const content = new TextEncoder().encode(text);
  const header = archive.slice(entry.offset, entry.offset + blockBytes);
  writeOctal(header, 124, 12, content.length);
  writeSum(header);
  const end = entry.offset + blockBytes + paddedLength(entry.size);
  return join([
    archive.subarray(0, entry.offset),
    header,
    content,
    new Uint8Array(paddedLength(content.length) - content.length),
    archive.subarray(end),
  ]);
}

/** Creates the archive of a template that is only its definition. */
export function createArchive(text: string): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(blockBytes);
  writeText(header, 0, "slipway.yaml");
  writeOctal(header, 100, 8, 0o644);
  writeOctal(header, 108, 8, 0);
  writeOctal(header, 116, 8, 0);
  writeOctal(header, 136, 12, 0);
  writeText(header, 156, "0");
  writeText(header, 257, "ustar\u000000");
  // Two empty blocks end an archive.
  return replaceDefinition(join([header, new Uint8Array(2 * blockBytes)]), text);
}

function isDefinition({ path, isFile }: Entry): boolean {
  const parts = path.replace(/^\.\//, "").split("/");
  return isFile && parts.length <= 2 && definitionNames.has(parts.at(-1) ?? "");
}

/** Lists the entries up to the end of the archive, or to the first that is malformed. */
function listEntries(archive: Uint8Array): readonly Entry[] {
  const entries: Entry[] = [];
  let offset = 0;
  while (offset + blockBytes <= archive.length && archive[offset] !== 0) {
    const header = archive.subarray(offset, offset + blockBytes);
    const size = Number.parseInt(readText(header, 124, 12).trim() || "0", 8);
    if (!Number.isSafeInteger(size) || offset + blockBytes + size > archive.length) break;
    const prefix = readText(header, 257, 5) === "ustar" ? readText(header, 345, 155) : "";
    const name = readText(header, 0, 100);
    const type = readText(header, 156, 1);
    const path = prefix === "" ? name : `${prefix}/${name}`;
    entries.push({ path, offset, size, isFile: type === "0" || type === "" });
    offset += blockBytes + paddedLength(size);
  }
  return entries;
}

function paddedLength(size: number): number {
  return Math.ceil(size / blockBytes) * blockBytes;
}

/** Reads a text that ends with the first NUL or with its field. */
function readText(header: Uint8Array, offset: number, length: number): string {
  const field = header.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end === -1 ? field : field.subarray(0, end));
}

function writeText(header: Uint8Array, offset: number, text: string): void {
  header.set(new TextEncoder().encode(text), offset);
}

function writeOctal(header: Uint8Array, offset: number, length: number, value: number): void {
  writeText(header, offset, `${value.toString(8).padStart(length - 1, "0")}\0`);
}

/** Writes the sum of the bytes of a header, in which the field of the sum counts as spaces. */
function writeSum(header: Uint8Array): void {
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  writeText(header, 148, `${sum.toString(8).padStart(6, "0")}\0 `);
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
