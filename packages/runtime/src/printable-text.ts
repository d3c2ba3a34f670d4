/*
 * Untrusted text on its way to a terminal. A terminal obeys control characters: they clear its screen, retitle its
 * window, write its clipboard (OSC 52) and type in place of the keyboard. Only SGR, which sets colors, may pass.
 *
 * Each function is stateless: the halves of a sequence that was split over two texts are made harmless separately.
 */

/** SGR: `ESC [ 31;1 m`, also with colons. A private prefix such as `>` makes it another function. */
// eslint-disable-next-line no-control-regex -- the test searches for control characters
const sgr = /^\u001b\[[\d:;]{0,64}m$/;

/**
 * The sequences that can control a terminal: control sequences, the strings of OSC, DCS, APC, PM and SOS with their
 * end, shorter escapes, and after them each control character by itself; bidirectional overrides and line separators,
 * which rearrange what is read. Unfinished sequences match as far as they go, a string without its end only by its
 * introducer.
 */
const steering =
  // eslint-disable-next-line no-control-regex -- the test searches for control characters
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])(?:[^\u0000-\u001f\u007f-\u009f]*(?:\u0007|\u001b\\|\u009c))?|\u001b[ -/]*[0-~]?|\r\n|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Matches text that needs any work; most text needs none. */
// eslint-disable-next-line no-control-regex -- the test searches for control characters
const suspect = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

const sgrReset = "\u001b[0m";

interface PrintableOptions {
  /** True if SGR passes. It is reset at the end of each line that has any. */
  readonly colors: boolean;
}

/**
 * Returns text that a terminal prints without obeying it: printable characters, line feeds, tabs and, if wanted, SGR.
 * Escape sequences are removed, single control characters become visible (`␍`), `CR LF` becomes `LF`.
 */
export function printableText(text: string, { colors }: PrintableOptions): string {
  const wellFormed = text.isWellFormed() ? text : text.toWellFormed();
  if (!suspect.test(wellFormed)) return wellFormed;
  const printable = wellFormed.replaceAll(steering, (found) => replacement(found, colors));
  return printable.includes("\u001b") ? printable.split("\n").map(withReset).join("\n") : printable;
}

/** Does the same for a single line without colors: for names, cells of tables, titles and questions. */
export function printableLine(text: string): string {
  return printableText(text, { colors: false }).replaceAll(/[\n\t]/g, " ");
}

/**
 * Escapes the characters that JSON permits although a terminal obeys them: DEL, C1 and those that rearrange text.
 * Programs parse the same document.
 */
export function printableJson(json: string): string {
  return json.replaceAll(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function replacement(found: string, colors: boolean): string {
  if (found.length > 1) {
    if (found === "\r\n") return "\n";
    return colors && sgr.test(found) ? found : "";
  }
  const code = found.charCodeAt(0);
  if (code === 0x1b || code >= 0x2_02a || (code >= 0x80 && code < 0xa0)) return "";
  if (code > 0x7f) return " ";
  // The control pictures of Unicode: U+2400 for NUL, U+240D for CR, U+2421 for DEL.
  return String.fromCharCode(code === 0x7f ? 0x24_21 : 0x24_00 + code);
}

function withReset(line: string): string {
  const last = line.lastIndexOf("\u001b");
  if (last < 0 || line.startsWith(sgrReset, last) || line.startsWith("\u001b[m", last)) return line;
  return `${line}${sgrReset}`;
}
