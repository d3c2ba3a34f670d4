import type { FileMatch } from "@slipway/api/agents/file-routes";

import { pathText } from "./paths.ts";

/** The maximum number of characters of a line in the result, and of all lines. */
const maxLineChars = 1_000;
const maxChars = 1024 * 1024;
/** The maximum time of a search, in milliseconds. */
const maxSearchMs = 20_000;

/** The limit that ended a search. */
export type SearchLimit = "matches" | "bytes" | "time";

/** The lines that a search has found so far. */
export class FoundLines {
  readonly matches: FileMatch[] = [];
  readonly maxMatches: number;
  readonly #now: () => number;
  readonly #endsAtMs: number;
  #chars = 0;

  constructor(maxMatches: number, now: () => number) {
    this.maxMatches = maxMatches;
    this.#now = now;
    this.#endsAtMs = now() + maxSearchMs;
  }

  get limit(): SearchLimit | undefined {
    if (this.matches.length >= this.maxMatches) return "matches";
    if (this.#chars >= maxChars) return "bytes";
    return this.leftMs <= 0 ? "time" : undefined;
  }

  /** The rest of the time. */
  get leftMs(): number {
    return this.#endsAtMs - this.#now();
  }

  add(path: Buffer, line: number, text: string): void {
    const match = { path: pathText(path), line, text: shownLine(text) };
    this.matches.push(match);
    this.#chars += match.text.length + match.path.length;
  }
}

/** Returns a line without its end, cut if it is long. */
function shownLine(line: string): string {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  return text.length > maxLineChars ? `${text.slice(0, maxLineChars)}…` : text;
}
