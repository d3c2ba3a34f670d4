/** A line of a difference, with its numbers in the files before and after; a gap has those of the line below it. */
export interface DiffLine {
  readonly kind: "same" | "removed" | "added" | "gap";
  readonly before: number | undefined;
  readonly after: number | undefined;
  readonly text: string;
}

/** The changes to one file. */
export interface FileDiff {
  readonly path: string;
  readonly lines: readonly DiffLine[];
  readonly added: number;
  readonly removed: number;
}

const hunkHeader = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/;

/** Reads a unified diff, file by file. Lines that belong to no file are left out. */
export function parseUnifiedDiff(diff: string): readonly FileDiff[] {
  const files: { path: string; lines: DiffLine[] }[] = [];
  let before = 0;
  let after = 0;
  let isInHunk = false;
  for (const line of diff.split("\n")) {
    const file = files.at(-1);
    const header = hunkHeader.exec(line);
    if (line.startsWith("--- ") && !isInHunk) {
      files.push({ path: pathOf(line), lines: [] });
    } else if (line.startsWith("+++ ") && !isInHunk && file !== undefined) {
      // A file that was removed keeps the name that it had.
      if (pathOf(line) !== "/dev/null") file.path = pathOf(line);
    } else if (header !== null && file !== undefined) {
      before = Number(header[1]);
      after = Number(header[2]);
      if (file.lines.length > 0) file.lines.push({ kind: "gap", before, after, text: "" });
      isInHunk = true;
    } else if (isInHunk && file !== undefined) {
      const text = line.slice(1);
      if (line.startsWith("-")) {
        file.lines.push({ kind: "removed", before, after: undefined, text });
        before += 1;
      } else if (line.startsWith("+")) {
        file.lines.push({ kind: "added", before: undefined, after, text });
        after += 1;
      } else if (line.startsWith(" ")) {
        file.lines.push({ kind: "same", before, after, text });
        before += 1;
        after += 1;
      } else if (!line.startsWith("\\")) {
        isInHunk = false;
      }
    }
  }
  return files.map(({ path, lines }) => ({
    path,
    lines,
    added: lines.filter(({ kind }) => kind === "added").length,
    removed: lines.filter(({ kind }) => kind === "removed").length,
  }));
}

function pathOf(line: string): string {
  return line.slice(4).replace(/\t.*$/, "");
}
