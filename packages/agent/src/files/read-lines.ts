import { constants } from "node:fs";

import { fileTurns } from "../process/turns.ts";
import { openRegular } from "./open-file.ts";

/** The limits of a reading by lines (docs/protocol/agent.md §8.3). */
export interface LineLimits {
  readonly maxFileBytes: number;
  /** A longer line is cut. */
  readonly maxLineBytes: number;
  readonly maxLines: number;
  readonly maxBytes: number;
}

export interface LineRange {
  /** The number of the first line, from 1. */
  readonly offset: number;
  /** The maximum number of lines; 0 for all. */
  readonly limit: number;
}

/** The lines of a file, or the limit that prevents reading them. */
export type ReadLines =
  | {
      readonly kind: "read";
      readonly fileBytes: number;
      readonly totalLines: number;
      readonly lines: readonly string[];
    }
  | { readonly kind: "refused"; readonly fileBytes: number; readonly reason: string };

/** Reads lines of a text as `<number> TAB <text>`. Throws `FileError`, and the errors of the system. */
export async function readLines(
  path: Buffer,
  { offset, limit }: LineRange,
  limits: LineLimits,
): Promise<ReadLines> {
  const content = await readWhole(path, limits.maxFileBytes);
  const fileBytes = content.size;
  const refused = (reason: string): ReadLines => ({ kind: "refused", fileBytes, reason });
  if (content.bytes === undefined) {
    return refused(`the file has ${fileBytes} bytes, more than ${limits.maxFileBytes}`);
  }
  const all = linesOf(content.bytes.toString());
  if (offset > all.length && all.length > 0) {
    return refused(`line ${offset} is beyond the end: the file has ${all.length}`);
  }
  const chosen = all.slice(offset - 1, limit === 0 ? undefined : offset - 1 + limit);
  if (chosen.length > limits.maxLines) {
    return refused(`${chosen.length} lines exceed the limit of ${limits.maxLines}: read a part`);
  }
  const lines = chosen.map((line, index) => `${offset + index}\t${cut(line, limits.maxLineBytes)}`);
  const bytes = Buffer.byteLength(lines.join("\n"));
  if (bytes > limits.maxBytes) {
    return refused(`${bytes} bytes of lines exceed the limit of ${limits.maxBytes}: read a part`);
  }
  return { kind: "read", fileBytes, totalLines: all.length, lines };
}

/** Reads a file up to a limit; without its bytes if it is larger. A file without a size is read to its end. */
async function readWhole(
  path: Buffer,
  maxBytes: number,
): Promise<{ readonly size: number; readonly bytes: Buffer | undefined }> {
  return fileTurns.run({}, async () => {
    const { file, stats } = await openRegular(path, constants.O_RDONLY);
    try {
      const size = Number(stats.size);
      if (size > maxBytes) return { size, bytes: undefined };
      const room = Buffer.alloc(Math.max(size, 64 * 1024) + 1);
      let length = 0;
      while (length < room.length) {
        const { bytesRead } = await file.read(room, length, room.length - length, length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      return { size, bytes: room.subarray(0, Math.min(length, maxBytes)) };
    } finally {
      await file.close();
    }
  });
}

function linesOf(text: string): readonly string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
}

/** Cuts a line after whole characters. */
function cut(line: string, maxBytes: number): string {
  const bytes = Buffer.from(line);
  if (bytes.length <= maxBytes) return line;
  const kept = bytes
    .subarray(0, maxBytes)
    .toString()
    .replace(/\uFFFD+$/, "");
  return `${kept}... [truncated]`;
}
