import { fileTurns } from "../process/turns.ts";
import { FileError } from "./errors.ts";
import { expandBraces, globPattern } from "./glob.ts";
import { type IgnoreRules, isIgnored, parseIgnoreRules } from "./ignore-rules.ts";
import { anyBytes, childPath } from "./paths.ts";
import { readTextFile } from "./text-file.ts";
import { readEntries, type TreeEntry } from "./tree-entries.ts";

/** The maximum number of entries that are read of one directory. */
const maxDirectoryEntries = 50_000;
/** The maximum depth of the tree. */
const maxDepth = 128;
/** The ignore files, the strongest first, at whatever depth they are. */
const ignoreFiles = [".rgignore", ".ignore", ".gitignore"];

interface WalkOptions {
  /** True to yield hidden and ignored files as well. */
  readonly isAll: boolean;
  readonly globs: IgnoreRules;
  readonly owner: object;
  readonly signal: AbortSignal;
}

/**
 * Yields the files of a tree in the order of their names: neither hidden files nor those that an ignore file names, and
 * through no link. What cannot be read is left out.
 */
export function walkTree(path: Buffer, options: WalkOptions): AsyncGenerator<Buffer> {
  return walk({ path, names: [], rules: [] }, options);
}

interface Place {
  readonly path: Buffer;
  /** The names from the top of the walk to here. */
  readonly names: readonly string[];
  /** The ignore files of the directories from the top to here. */
  readonly rules: readonly DirectoryRules[];
}

interface DirectoryRules {
  readonly depth: number;
  readonly file: string;
  /** Relative to the directory. */
  readonly rules: IgnoreRules;
}

async function* walk(place: Place, options: WalkOptions): AsyncGenerator<Buffer> {
  const { owner, signal, isAll, globs } = options;
  signal.throwIfAborted();
  if (place.names.length > maxDepth) return;
  const entries = await fileTurns
    .run(owner, () => readEntries(place.path, maxDirectoryEntries))
    .catch(() => []);
  const own = isAll ? [] : await readRules(place, entries, owner);
  const rules = [...place.rules, ...own];
  for (const { name, isDirectory, isFile } of entries) {
    if (!isDirectory && !isFile) continue;
    const names = [...place.names, Buffer.from(name, anyBytes).toString()];
    if (!isAll && isLeftOut({ names, rules, isDirectory })) continue;
    const path = childPath(place.path, name);
    if (isDirectory) yield* walk({ path, names, rules }, options);
    else if (isWanted(globs, names.join("/"))) yield path;
  }
}

interface NamedEntry {
  readonly names: readonly string[];
  readonly rules: readonly DirectoryRules[];
  readonly isDirectory: boolean;
}

/** Returns whether an ignore file names an entry, or it is hidden and no ignore file wants it. */
function isLeftOut({ names, rules, isDirectory }: NamedEntry): boolean {
  for (const kind of ignoreFiles) {
    // The deepest file of a kind that says anything decides.
    for (const { depth, file, rules: own } of rules.toReversed()) {
      if (file !== kind) continue;
      const ignored = isIgnored(own, names.slice(depth).join("/"), isDirectory);
      if (ignored !== undefined) return ignored;
    }
  }
  return names.at(-1)?.startsWith(".") === true;
}

/** Turns globs into rules: a file is wanted if the last that matches is not negated. Throws `FileError` "invalid". */
export function globRules(globs: readonly string[]): IgnoreRules {
  return globs.flatMap((glob) => {
    const isNegated = glob.startsWith("!");
    const patterns = expandBraces(isNegated ? glob.slice(1) : glob)?.map((one) => globPattern(one));
    return (patterns ?? [undefined]).map((pattern) => {
      if (pattern !== undefined) return { pattern, isNegated, isForDirectories: false };
      throw new FileError("invalid", `the glob ${JSON.stringify(glob)} has too many wildcards`);
    });
  });
}

function isWanted(globs: IgnoreRules, path: string): boolean {
  if (globs.length === 0) return true;
  return isIgnored(globs, path, false) ?? globs.every(({ isNegated }) => isNegated);
}

async function readRules(
  { path, names }: Place,
  entries: readonly TreeEntry[],
  owner: object,
): Promise<readonly DirectoryRules[]> {
  const found: DirectoryRules[] = [];
  for (const file of ignoreFiles) {
    if (!entries.some(({ name, isFile }) => name === file && isFile)) continue;
    const text = await readTextFile(childPath(path, file), owner);
    if (text === undefined) continue;
    found.push({ depth: names.length, file, rules: parseIgnoreRules(text) });
  }
  return found;
}
