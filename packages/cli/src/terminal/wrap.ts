import { displayWidth } from "./display-width.ts";

/** Wraps text to a number of columns, only between words: a wider word stays whole on a line of its own. */
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

/** Returns the width of the widest word of a text, in columns. */
export function widestWord(text: string): number {
  return Math.max(...text.split(" ").map(displayWidth));
}
