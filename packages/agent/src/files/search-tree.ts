import { constants } from "node:fs";
import { lstat, opendir } from "node:fs/promises";

import type { FileMatch } from "@slipway/api/agents/file-routes";
import { LoopTurn } from "@slipway/runtime";

import { fileTurns } from "../process/turns.ts";
import { globPattern, type IgnoreRules, isIgnored, parseIgnoreRules } from "./ignore-rules.ts";
import { compilePattern, type Matcher, type PatternOptions } from "./line-matcher.ts";
import { openRegular } from "./open-file.ts";
import { anyBytes, childPath, pathText } from "./paths.ts";

/** The maximum size of a file that is searched, in bytes. */
const maxFileBytes = 16 * 1024 * 1024;
/** The maximum number of entries that are read of one directory. */
const maxDirectoryEntries = 50_000;
/** The maximum depth of the tree. */
const maxDepth = 128;
/** The maximum number of characters of a line in the result, and of all lines. */
const maxLineChars = 1_000;
const maxChars = 1024 * 1024;
/** The maximum time of a search, in milliseconds. */
const maxSearchMs = 20_000;
/** A file with a zero byte in its first bytes is not text. */
const sampledBytes = 8 * 1024;
const ignoreFiles = [".gitignore", ".ignore"];
const bufferSize = 1_024;

export interface TreeSearch extends PatternOptions {
  readonly pattern: string;
  /** Only files whose path matches one of these; those after `!` are left out. */
  readonly globs: readonly string[];
  /** True to search hidden and ignored files as well. */
  readonly isAll: boolean;
  readonly maxMatches: number;
}

export interface SearchResult {
  readonly matches: readonly FileMatch[];
  /** The limit that ended the search early. */
  readonly truncated_by?: "matches" | "bytes" | "time";
}

interface SearchNeeds {
  readonly now: () => number;
  readonly owner: object;
  readonly signal: AbortSignal;
}

/**
 * Searches the lines of the text files of a tree, in the order of their names, as ripgrep does: neither hidden files nor
 * those that an ignore file names, and through no link. Throws `FileError`, the errors of the system for the path itself,
 * and the signal's reason.
 */
export async function searchTree(
  path: Buffer,
  search: TreeSearch,
  needs: SearchNeeds,
): Promise<SearchResult> {
  const matcher = await compilePattern(search.pattern, search);
  const root = await fileTurns.run(needs.owner, () => lstat(path));
  const state = new SearchState(search.maxMatches, needs);
  const files = root.isDirectory()
    ? walk(
        { path, names: [], rules: [] },
        { isAll: search.isAll, globs: globRules(search.globs) },
        needs,
      )
    : [path];
  for await (const file of files) {
    await searchFile(file, matcher, state);
    if (state.limit !== undefined) break;
  }
  const { matches, limit } = state;
  return limit === undefined ? { matches } : { matches, truncated_by: limit };
}

/** The matches of a search so far. */
class SearchState {
  readonly matches: FileMatch[] = [];
  readonly needs: SearchNeeds;
  readonly turn = new LoopTurn(10);
  readonly #maxMatches: number;
  readonly #endsAtMs: number;
  #chars = 0;

  constructor(maxMatches: number, needs: SearchNeeds) {
    this.#maxMatches = maxMatches;
    this.needs = needs;
    this.#endsAtMs = needs.now() + maxSearchMs;
  }

  get limit(): SearchResult["truncated_by"] {
    if (this.matches.length >= this.#maxMatches) return "matches";
    if (this.#chars >= maxChars) return "bytes";
    return this.needs.now() >= this.#endsAtMs ? "time" : undefined;
  }

  add(match: FileMatch): void {
    this.matches.push(match);
    this.#chars += match.text.length + match.path.length;
  }
}

interface Place {
  readonly path: Buffer;
  /** The names from the top of the search to here. */
  readonly names: readonly string[];
  /** The rules of the directories above, from the top; each is relative to the directory of its depth. */
  readonly rules: readonly { readonly depth: number; readonly rules: IgnoreRules }[];
}

interface WalkOptions {
  readonly isAll: boolean;
  readonly globs: IgnoreRules;
}

/** Yields the files of a tree. What cannot be read is left out. */
async function* walk(
  place: Place,
  options: WalkOptions,
  needs: SearchNeeds,
): AsyncGenerator<Buffer> {
  const { owner, signal } = needs;
  signal.throwIfAborted();
  if (place.names.length > maxDepth) return;
  const entries = await fileTurns.run(owner, () => readEntries(place.path)).catch(() => []);
  const own = options.isAll ? [] : await readRules(place.path, entries, owner);
  const rules = [...place.rules, { depth: place.names.length, rules: own }];
  for (const { name, isDirectory, isFile } of entries) {
    if (!isDirectory && !isFile) continue;
    const names = [...place.names, Buffer.from(name, anyBytes).toString()];
    if (!options.isAll && (name.startsWith(".") || isNamed({ names, rules, isDirectory })))
      continue;
    const path = childPath(place.path, name);
    if (isDirectory) yield* walk({ path, names, rules }, options, needs);
    else if (isWanted(options.globs, names.join("/"))) yield path;
  }
}

interface NamedEntry {
  readonly names: readonly string[];
  readonly rules: Place["rules"];
  readonly isDirectory: boolean;
}

/** Returns whether an ignore file names an entry; the deepest one that says anything decides. */
function isNamed({ names, rules, isDirectory }: NamedEntry): boolean {
  for (const { depth, rules: own } of rules.toReversed()) {
    const ignored = isIgnored(own, names.slice(depth).join("/"), isDirectory);
    if (ignored !== undefined) return ignored;
  }
  return false;
}

/** Turns globs into rules: a file is wanted if the last that matches is not negated. */
function globRules(globs: readonly string[]): IgnoreRules {
  return globs.flatMap((glob) => {
    const isNegated = glob.startsWith("!");
    const pattern = globPattern(isNegated ? glob.slice(1) : glob);
    return pattern === undefined ? [] : [{ pattern, isNegated, isForDirectories: false }];
  });
}

function isWanted(globs: IgnoreRules, path: string): boolean {
  if (globs.length === 0) return true;
  return isIgnored(globs, path, false) ?? globs.every(({ isNegated }) => isNegated);
}

interface TreeEntry {
  readonly name: string;
  readonly isDirectory: boolean;
  readonly isFile: boolean;
}

async function readEntries(path: Buffer): Promise<readonly TreeEntry[]> {
  const entries: TreeEntry[] = [];
  await using directory = await opendir(path, { encoding: anyBytes, bufferSize });
  while (entries.length < maxDirectoryEntries) {
    const entry = await directory.read();
    if (entry === null) break;
    entries.push({ name: entry.name, isDirectory: entry.isDirectory(), isFile: entry.isFile() });
  }
  return entries.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

async function readRules(
  path: Buffer,
  entries: readonly TreeEntry[],
  owner: object,
): Promise<IgnoreRules> {
  const rules: IgnoreRules[] = [];
  for (const name of ignoreFiles) {
    if (!entries.some((entry) => entry.name === name && entry.isFile)) continue;
    const text = await readText(childPath(path, name), owner);
    if (text !== undefined) rules.push(parseIgnoreRules(text));
  }
  return rules.flat();
}

async function searchFile(path: Buffer, matcher: Matcher, state: SearchState): Promise<void> {
  const { pieceChars } = matcher;
  const { owner, signal } = state.needs;
  const text = await readText(path, owner);
  if (text === undefined) return;
  let line = 1;
  for (let start = 0; start < text.length;) {
    if (state.turn.isOver) await nextTurn();
    signal.throwIfAborted();
    const end = endOfPiece(text, start, pieceChars);
    const piece = text.slice(start, Math.min(end, start + pieceChars));
    line = searchPiece(piece, { path, line, matcher, state });
    if (state.limit !== undefined) return;
    // The rest of a long line is not searched.
    line += countLines(text, start + piece.length, end);
    start = end;
  }
}

/** Returns the end of whole lines from `start`: about a piece, or one longer line. */
function endOfPiece(text: string, start: number, pieceChars: number): number {
  if (text.length - start <= pieceChars) return text.length;
  const last = text.lastIndexOf("\n", start + pieceChars - 1);
  if (last >= start) return last + 1;
  const next = text.indexOf("\n", start + pieceChars);
  return next < 0 ? text.length : next + 1;
}

interface PieceSearch {
  readonly path: Buffer;
  /** The number of the first line. */
  readonly line: number;
  readonly matcher: Matcher;
  readonly state: SearchState;
}

/** Adds the matching lines of a piece; returns the number of the line after it. */
function searchPiece(piece: string, { path, line: first, matcher, state }: PieceSearch): number {
  let line = first;
  let counted = 0;
  for (let from = 0; from < piece.length && state.limit === undefined;) {
    const at = matcher.find(piece, from);
    if (at === undefined) break;
    const start = piece.lastIndexOf("\n", at - 1) + 1;
    const next = piece.indexOf("\n", at);
    const end = next < 0 ? piece.length : next;
    line += countLines(piece, counted, start);
    counted = start;
    state.add({ path: pathText(path), line, text: cut(piece.slice(start, end)) });
    from = end + 1;
  }
  return line + countLines(piece, counted, piece.length);
}

function countLines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf("\n", from); at >= 0 && at < to; at = text.indexOf("\n", at + 1)) {
    count += 1;
  }
  return count;
}

function cut(line: string): string {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  return text.length > maxLineChars ? `${text.slice(0, maxLineChars)}…` : text;
}

/** Reads a text file; undefined for a large one, one that is not text, and one that cannot be read. */
async function readText(path: Buffer, owner: object): Promise<string | undefined> {
  try {
    return await fileTurns.run(owner, async () => {
      const { file, stats } = await openRegular(path, constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        if (stats.size > maxFileBytes) return undefined;
        const bytes = await file.readFile();
        return bytes.subarray(0, sampledBytes).includes(0) ? undefined : bytes.toString();
      } finally {
        await file.close();
      }
    });
  } catch {
    return undefined;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
