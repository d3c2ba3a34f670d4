import { lstat } from "node:fs/promises";

import { findProgram } from "../process/find-program.ts";
import { ProgramReader } from "../process/program-reader.ts";
import { readFileStart } from "../process/read-file-start.ts";
import { type CommandHost, runCommand } from "../process/run-command.ts";
import type { PreparedCommand } from "../process/spawn-group.ts";
import { fileTurns } from "../process/turns.ts";
import type { PatternOptions } from "./line-matcher.ts";
import { pathText } from "./paths.ts";
import { ripgrepPattern } from "./ripgrep-pattern.ts";
import { searchFile, type SearchNeeds } from "./search-file.ts";
import { maxFileBytes, sampledBytes } from "./text-file.ts";

/** The number of bytes of the longest line that it prints; our own search finds longer ones. */
const maxLineBytes = 1_024;
/** Searches the files that it is told to as they are, whatever its user has configured, and prints lines for programs. */
const settings = [
  "--no-config",
  "--no-ignore",
  "--hidden",
  "--text",
  "--encoding=none",
  "--no-mmap",
  "--no-messages",
  "--color=never",
  "--no-heading",
  "--with-filename",
  "--null",
  "--line-number",
  `--max-columns=${maxLineBytes}`,
];
/** The maximum number of characters that it prints: with more matches, our own search ends sooner. */
const maxPrintedChars = 16 * 1024 * 1024;
/** The cost of a line, whatever its length. */
const charsOfLine = 64;
/** The maximum size of a line with its path. */
const maxPrintedLineBytes = 64 * 1024;
/** The number of files whose status is read in a turn. */
const filesPerTurn = 64;

/** The parts of the workspace that run ripgrep. */
export interface RipgrepHost {
  /** Prepares a command of the workspace, whose directory and environment the program gets. */
  readonly prepare: (text: string) => Promise<PreparedCommand>;
  readonly commands: CommandHost;
}

/** The lines of a file that match; undefined if one of them is too long to be printed. */
type FileLines = FoundLine[] | undefined;
type FoundLine = readonly [line: number, text: string];

/** The program `rg` of the workspace, for one pattern. It finds what our own search finds, in less time. */
export class Ripgrep {
  readonly #command: PreparedCommand;
  readonly #commands: CommandHost;

  private constructor(command: PreparedCommand, commands: CommandHost) {
    this.#command = command;
    this.#commands = commands;
  }

  /** Finds the program; undefined if the workspace has none, or the pattern may mean something else to it. */
  static async open(
    search: PatternOptions & { readonly pattern: string },
    { prepare, commands }: RipgrepHost,
  ): Promise<Ripgrep | undefined> {
    const { isLiteral, ignoresCase } = search;
    const pattern = isLiteral ? literal(search.pattern) : ripgrepPattern(search.pattern);
    if (pattern === undefined) return undefined;
    const command = await prepare("true");
    const file = await findProgram(["rg"], command.environment["PATH"]);
    if (file === undefined) return undefined;
    const args = [
      ...settings,
      ignoresCase ? "--ignore-case" : "--case-sensitive",
      isLiteral ? "--fixed-strings" : "--no-fixed-strings",
      `--regexp=${pattern}`,
    ];
    return new Ripgrep({ ...command, file, args }, commands);
  }

  /** Adds the lines of files that match, in their order, up to the first limit. Throws the reason of the signal. */
  async search(files: readonly Buffer[], needs: SearchNeeds): Promise<void> {
    const printed = await this.#run(await searchable(files, needs), needs);
    for (const file of files) {
      const lines = printed?.get(pathText(file));
      if (printed === undefined || !isText(file)) await searchFile(file, needs);
      else if (printed.has(pathText(file)) && lines === undefined) await searchFile(file, needs);
      else if (lines !== undefined && !(await isBinary(file, needs))) addLines(file, lines, needs);
      if (needs.found.limit !== undefined) return;
    }
  }

  /** Runs the program; resolves to its lines by file, or to undefined if it failed or printed too much. */
  async #run(
    files: readonly Buffer[],
    { found, signal }: SearchNeeds,
  ): Promise<ReadonlyMap<string, FileLines> | undefined> {
    if (files.length === 0) return new Map();
    const output = new PrintedLines();
    const reader = new ProgramReader({
      maxBytes: maxPrintedLineBytes,
      onLine: (line) => output.add(line),
    });
    const { args } = this.#command;
    const perFile = `--max-count=${found.maxMatches}`;
    const command = { ...this.#command, args: [...args, perFile, "--", ...files.map(pathText)] };
    const outcome = await runCommand(command, this.#commands, {
      timeoutMs: Math.max(1, found.leftMs),
      timeoutGraceMs: 0,
      stopGraceMs: 0,
      joinOutput: false,
      onOutput: async (stream, chunk) => reader.take(stream, chunk),
      signal: AbortSignal.any([signal, reader.excess, output.excess]),
    });
    signal.throwIfAborted();
    if (outcome.kind === "timed-out") return output.byPath;
    if (outcome.kind !== "exited") return undefined;
    const { error } = reader.end();
    // 1 says that nothing matches, and 2 without a word that a file cannot be read.
    return outcome.exitCode < 2 || (outcome.exitCode === 2 && error === "")
      ? output.byPath
      : undefined;
  }
}

/** Returns a text that has no second line, which would be another pattern. */
function literal(text: string): string | undefined {
  return /[\n\0]/.test(text) ? undefined : text;
}

/** Returns the files that it may open: regular ones, with names that a command line can state, and not too large. */
async function searchable(
  files: readonly Buffer[],
  { owner, signal }: SearchNeeds,
): Promise<readonly Buffer[]> {
  const found: Buffer[] = [];
  for (let at = 0; at < files.length; at += filesPerTurn) {
    signal.throwIfAborted();
    const some = files.slice(at, at + filesPerTurn).filter(isText);
    await fileTurns.run(owner, async () => {
      for (const file of some) {
        const stats = await lstat(file).catch(() => undefined);
        if (stats?.isFile() === true && stats.size <= maxFileBytes) found.push(file);
      }
    });
  }
  return found;
}

/** Returns whether a path is UTF-8 on one line. */
function isText(path: Buffer): boolean {
  return Buffer.from(pathText(path)).equals(path) && !path.includes("\n");
}

async function isBinary(path: Buffer, { owner }: SearchNeeds): Promise<boolean> {
  const start = await fileTurns.run(owner, () =>
    readFileStart(pathText(path), sampledBytes).catch(() => undefined),
  );
  return start === undefined || start.includes(0);
}

function addLines(
  path: Buffer,
  lines: readonly FoundLine[],
  { found }: Pick<SearchNeeds, "found">,
): void {
  for (const [line, text] of lines) {
    if (found.limit !== undefined) return;
    found.add(path, line, text);
  }
}

/** The printed lines by file. */
class PrintedLines {
  readonly byPath = new Map<string, FileLines>();
  readonly #excess = new AbortController();
  #chars = 0;

  /** Aborted once there are too many, or one that ripgrep does not print. */
  get excess(): AbortSignal {
    return this.#excess.signal;
  }

  /** Adds `<path> NUL <number>:<text>`. */
  add(printed: string): void {
    this.#chars += printed.length + charsOfLine;
    if (this.#chars > maxPrintedChars) this.#excess.abort();
    if (this.#excess.signal.aborted) return;
    const [, path, line, text] = /^([^\0]+)\0(\d+):(.*)$/s.exec(printed) ?? [];
    if (path === undefined || line === undefined || text === undefined) {
      this.#excess.abort();
      return;
    }
    // Instead of a long line it prints how many matches that has.
    if (text.startsWith("[Omitted long ")) this.byPath.set(path, undefined);
    else if (this.byPath.has(path)) this.byPath.get(path)?.push([Number(line), text]);
    else this.byPath.set(path, [[Number(line), text]]);
  }
}
