import { LoopTurn } from "@slipway/runtime";

import type { FoundLines } from "./found-lines.ts";
import type { Matcher } from "./line-matcher.ts";
import { readTextFile } from "./text-file.ts";

/** The work of all searches in a turn of the event loop. */
const turn = new LoopTurn(10);

export interface SearchNeeds {
  readonly matcher: Matcher;
  readonly found: FoundLines;
  readonly owner: object;
  readonly signal: AbortSignal;
}

/** Adds the lines of a text file that match, up to the first limit. Throws the reason of the signal. */
export async function searchFile(path: Buffer, needs: SearchNeeds): Promise<void> {
  const { matcher, found, owner, signal } = needs;
  const { pieceChars } = matcher;
  const text = await readTextFile(path, owner);
  if (text === undefined) return;
  let line = 1;
  for (let start = 0; start < text.length;) {
    if (turn.isOver) await nextTurn();
    signal.throwIfAborted();
    const end = endOfPiece(text, start, pieceChars);
    const piece = text.slice(start, Math.min(end, start + pieceChars));
    line = searchPiece(piece, { path, line, matcher, found });
    if (found.limit !== undefined) return;
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

interface PieceSearch extends Pick<SearchNeeds, "matcher" | "found"> {
  readonly path: Buffer;
  /** The number of the first line. */
  readonly line: number;
}

/** Adds the matching lines of a piece; returns the number of the line after it. */
function searchPiece(piece: string, { path, line: first, matcher, found }: PieceSearch): number {
  let line = first;
  let counted = 0;
  for (let from = 0; from < piece.length && found.limit === undefined;) {
    const at = matcher.find(piece, from);
    if (at === undefined) break;
    const start = at === 0 ? 0 : piece.lastIndexOf("\n", at - 1) + 1;
    const next = piece.indexOf("\n", at);
    const end = next < 0 ? piece.length : next;
    line += countLines(piece, counted, start);
    counted = start;
    const text = piece.slice(start, end);
    // A match that needs the next line is none.
    if (matcher.find(text, 0) !== undefined) found.add(path, line, text);
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

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
