import { displayWidth } from "./display-width.ts";

/** Lines of at most so many columns, broken between words only: a word that is wider stands alone and whole. */
export function wrapWords(text: string, columns: number): string[] {
  if (columns === Infinity) return [text];
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && displayWidth(longer) > columns) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

/** Columns that the widest word of a text takes. */
export function widestWord(text: string): number {
  return Math.max(...text.split(" ").map(displayWidth));
}
