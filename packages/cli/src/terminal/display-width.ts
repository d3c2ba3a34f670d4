/** Returns the columns that a text occupies: two for a wide character, none for a combining mark. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const char of text) width += charWidth(char);
  return width;
}

/** Returns the beginning of a text that fits into a number of columns. */
export function cut(text: string, columns: number): string {
  let width = 0;
  let end = 0;
  for (const char of text) {
    width += charWidth(char);
    if (width > columns) return text.slice(0, end);
    end += char.length;
  }
  return text;
}

function charWidth(char: string): number {
  if (/^\p{Mark}|\u200d|\ufe0f$/u.test(char)) return 0;
  return /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}$/u.test(
    char,
  )
    ? 2
    : 1;
}

/** Wraps text to a number of columns, only between words: a wider word stays whole on its own line. */
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
