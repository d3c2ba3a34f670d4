import { isUtf8 } from "node:buffer";

const escapes: Readonly<Record<string, string>> = {
  "<": String.raw`\u003c`,
  ">": String.raw`\u003e`,
  "&": String.raw`\u0026`,
  "\u2028": String.raw`\u2028`,
  "\u2029": String.raw`\u2029`,
};

/** Encodes JSON as the original does: safe inside HTML, with one line feed at the end (docs/protocol/rest.md §1.6). */
export function encodeJson(value: unknown): string {
  const text = JSON.stringify(value ?? null);
  return `${text.replaceAll(/[<>&\u2028\u2029]/g, (character) => escapes[character] ?? character)}\n`;
}

/** The maximum nesting of arrays and objects in a body. Functions that traverse a value recurse for each level. */
export const maxJsonDepth = 64;

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openings: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const closings: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** A JSON text that was inspected but not parsed yet. */
interface JsonText {
  readonly bytes: Buffer;
  /** The number of its values, or a few more if some arrays and objects are empty. */
  readonly values: number;
}

/**
 * Inspects a JSON text, which need not be well-formed. Throws `SyntaxError` for bytes that are not UTF-8, for more than
 * `maxJsonDepth` nested arrays and objects, and for more than `maxValues` values.
 */
export function inspectJson(bytes: Buffer, maxValues: number): JsonText {
  if (!isUtf8(bytes)) throw new SyntaxError("found bytes that are not UTF-8");
  let depth = 0;
  let values = 1;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === quote) at = endOfText(bytes, at);
    else if (byte === comma) values += 1;
    else if (openings.has(byte)) {
      depth += 1;
      values += 1;
    } else if (closings.has(byte)) depth -= 1;
    if (depth > maxJsonDepth) {
      throw new SyntaxError(`found more than ${maxJsonDepth} nested arrays and objects`);
    }
    if (values > maxValues) throw new SyntaxError(`found more than ${maxValues} values`);
  }
  return { bytes, values };
}

/** Parses an inspected text. Throws `SyntaxError`. */
export function parseJson({ bytes }: JsonText): unknown {
  return JSON.parse(bytes.toString("utf8"));
}

/** Returns the end of the string that begins at `start`. */
function endOfText(json: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== quote) at += json[at] === backslash ? 2 : 1;
  return at;
}
