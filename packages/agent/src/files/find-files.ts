import { fileTurns } from "../process/turns.ts";
import { FileError } from "./errors.ts";
import { expandBraces, globPattern } from "./glob.ts";
import { anyBytes, childPath } from "./paths.ts";
import { readEntries } from "./tree-entries.ts";

/** The maximum number of entries that are read of one directory. */
const maxDirectoryEntries = 50_000;
/** The maximum depth of the tree. */
const maxDepth = 128;

interface FindOptions {
  /** The maximum number of files. */
  readonly max: number;
  readonly owner: object;
  readonly signal: AbortSignal;
}

interface FoundFiles {
  /** In the order of their bytes. */
  readonly paths: readonly Buffer[];
  /** True if there are more. */
  readonly isCut: boolean;
}

/** A name of a glob, or any number of directories. */
type Segment = RegExp | "**";

/** Returns whether a path has characters that stand for others. */
export function isGlob(path: string): boolean {
  return /[*?{[]/.test(path);
}

/**
 * Finds what an absolute glob names, except for directories. Links are not followed below the first wildcard, and what
 * cannot be read is left out. Throws `FileError` "invalid" for a glob that could take forever, and the signal's reason.
 */
export async function findFiles(glob: string, options: FindOptions): Promise<FoundFiles> {
  const found = new Map<string, Buffer>();
  for (const one of expandBraces(glob) ?? tooComplex(glob)) {
    const names = one.split("/").filter((name) => name !== "");
    const first = names.findIndex(isGlob);
    const fixed = first < 0 ? names.length - 1 : first;
    const base = Buffer.from(`/${names.slice(0, fixed).join("/")}`);
    const segments = segmentsOf(names.slice(fixed), glob);
    for await (const path of matches(base, { segments, depth: 0, ...options })) {
      if (found.size > options.max) break;
      found.set(path.toString(anyBytes), path);
    }
  }
  const keys = [...found.keys()].toSorted();
  const paths = keys.slice(0, options.max).map((key) => Buffer.from(key, anyBytes));
  return { paths, isCut: keys.length > options.max };
}

interface Descent extends Omit<FindOptions, "max"> {
  readonly segments: readonly Segment[];
  readonly depth: number;
}

async function* matches(directory: Buffer, descent: Descent): AsyncGenerator<Buffer> {
  const { segments, depth, owner, signal } = descent;
  const [segment, ...rest] = segments;
  if (segment === undefined || depth > maxDepth) return;
  signal.throwIfAborted();
  if (segment === "**") yield* matches(directory, { ...descent, segments: rest });
  const entries = await fileTurns
    .run(owner, () => readEntries(directory, maxDirectoryEntries))
    .catch(() => []);
  for (const { name, isDirectory } of entries) {
    const path = childPath(directory, name);
    const below = { ...descent, depth: depth + 1 };
    if (segment === "**") {
      if (isDirectory) yield* matches(path, below);
    } else if (segment.test(Buffer.from(name, anyBytes).toString())) {
      if (isDirectory) yield* matches(path, { ...below, segments: rest });
      else if (rest.length === 0) yield path;
    }
  }
}

function segmentsOf(names: readonly string[], glob: string): readonly Segment[] {
  const segments = names
    .filter((name, index) => name !== "**" || names[index - 1] !== "**")
    .map((name) => (name === "**" ? name : (globPattern(name) ?? tooComplex(glob))));
  const deep = segments.filter((segment) => segment === "**").length;
  if (deep > maxDeep) tooComplex(glob);
  // A glob that ends with any number of directories names all files there.
  return segments.at(-1) === "**" ? [...segments, /^/] : segments;
}

/** The maximum number of `**`: each may multiply the number of directories that are read. */
const maxDeep = 3;

function tooComplex(glob: string): never {
  throw new FileError("invalid", `the glob ${JSON.stringify(glob)} has too many wildcards`);
}
