import { FileError } from "./errors.ts";
import { type Line, splitLines, translateIndent } from "./text-lines.ts";

/** A replacement of a text by another (docs/protocol/agent.md §8.3). */
export interface TextEdit {
  readonly search: string;
  readonly replace: string;
  /** Replaces every occurrence; without it there must be one. */
  readonly replaceAll: boolean;
}

/** The blanks that a pass ignores at the ends of lines. */
type Ignored = "trailing blanks" | "surrounding blanks";

/**
 * Applies an edit: to the exact text, else to whole lines that differ in blanks only at their end, else to lines that
 * differ in blanks at both ends. Throws `FileError` "unmatched" for no match, or for several.
 */
export function applyEdit(text: string, edit: TextEdit): string {
  const { search, replace, replaceAll } = edit;
  if (search === "") throw new FileError("invalid", "the text to search for is empty");
  const parts = text.split(search);
  if (parts.length > 1) {
    if (parts.length > 2 && !replaceAll) throw ambiguous(parts.length - 1);
    return parts.join(replace);
  }
  const [wanted, replaced] = [splitLines(search), splitLines(replace)];
  if (!haveDifferentEndings(wanted, replaced)) {
    for (const ignored of ["trailing blanks", "surrounding blanks"] as const) {
      const lines = splitLines(text);
      const starts = findLines(lines, wanted, ignored);
      if (starts.length > 1 && !replaceAll) throw ambiguous(starts.length);
      if (starts.length > 0) return replaceLines({ lines, starts, wanted, replaced });
    }
  }
  throw new FileError("unmatched", "the text to search for does not occur");
}

function ambiguous(count: number): FileError {
  return new FileError(
    "unmatched",
    `the text to search for occurs ${count} times: add lines around it, or set replace_all`,
  );
}

/** Returns whether each text has one kind of line ending, and not the same. */
function haveDifferentEndings(one: readonly Line[], other: readonly Line[]): boolean {
  const [first, second] = [endingsOf(one), endingsOf(other)];
  return first.length === 1 && second.length === 1 && first[0] !== second[0];
}

function endingsOf(lines: readonly Line[]): readonly string[] {
  return [...new Set(lines.map(({ ending }) => ending).filter((ending) => ending !== ""))];
}

/** Returns the indexes at which the wanted lines occur, without overlaps. */
function findLines(lines: readonly Line[], wanted: readonly Line[], ignored: Ignored): number[] {
  const compared = lines.map((line) => comparedText(line, ignored));
  const searched = wanted.map((line) => comparedText(line, ignored));
  const starts: number[] = [];
  for (let at = 0; at + searched.length <= compared.length;) {
    const isMatch = searched.every((line, index) => line === compared[at + index]);
    if (isMatch) starts.push(at);
    at += isMatch ? searched.length : 1;
  }
  return starts;
}

function comparedText({ lead, text }: Line, ignored: Ignored): string {
  return ignored === "trailing blanks" ? lead + text : text;
}

interface LineReplacement {
  readonly lines: readonly Line[];
  /** The indexes of the matches. */
  readonly starts: readonly number[];
  readonly wanted: readonly Line[];
  readonly replaced: readonly Line[];
}

function replaceLines({ lines, starts, wanted, replaced }: LineReplacement): string {
  const ending = dominantEnding(lines);
  const parts: string[] = [];
  let at = 0;
  for (const start of starts) {
    const end = start + wanted.length;
    const found = lines.slice(start, end);
    parts.push(...lines.slice(at, start).map(lineText));
    parts.push(...adaptLines({ found, wanted, replaced, ending, all: lines }).map(lineText));
    at = end;
  }
  parts.push(...lines.slice(at).map(lineText));
  return parts.join("");
}

interface Adaptation {
  readonly found: readonly Line[];
  readonly wanted: readonly Line[];
  readonly replaced: readonly Line[];
  /** The line ending of most lines of the file. */
  readonly ending: string;
  readonly all: readonly Line[];
}

/** Writes the replacement as the file writes its lines: what the edit does not change keeps the bytes of the file. */
function adaptLines({ found, wanted, replaced, ending, all }: Adaptation): readonly Line[] {
  return replaced.map((line, index) => {
    const [own, searched] = [found[index], wanted[index]];
    const isLast = index === replaced.length - 1;
    const lead =
      own !== undefined && searched?.lead === line.lead
        ? own.lead
        : translateIndent(line.lead, { found, wanted, replaced, all });
    const trail = own !== undefined && searched?.trail === line.trail ? own.trail : line.trail;
    return { lead, text: line.text, trail, ending: endingOf(isLast) };

    function endingOf(isEnd: boolean): string {
      // The end of the match is that of the file, unless the edit changes it.
      if (isEnd && line.ending === wanted.at(-1)?.ending) return found.at(-1)?.ending ?? "";
      if (line.ending === "") return "";
      return own !== undefined && own.ending !== "" && searched?.ending === line.ending
        ? own.ending
        : ending;
    }
  });
}

function dominantEnding(lines: readonly Line[]): string {
  const carriage = lines.filter(({ ending }) => ending === "\r\n").length;
  const plain = lines.filter(({ ending }) => ending === "\n").length;
  return carriage > plain ? "\r\n" : "\n";
}

function lineText({ lead, text, trail, ending }: Line): string {
  return lead + text + trail + ending;
}
