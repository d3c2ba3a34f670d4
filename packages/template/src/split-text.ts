import { isScalar, Scalar } from "yaml";

import type { Location } from "./location.ts";

/**
 * Rejoins texts split at a comma: in braces, YAML reads `{ error: a few words, or more }` as a text and a key `or
 * more` without a value. Our keys have no blanks, so such a key is the rest of the preceding plain text. `source` is
 * the text of the file.
 */
export function joinSplitTexts(entries: readonly Location[], source: string): readonly Location[] {
  const joined: Location[] = [];
  for (const entry of entries) {
    const before = joined.at(-1);
    const node = before?.node;
    const isRest = entry.isBare && /\s/.test(entry.key);
    if (isRest && before !== undefined && isScalar(node) && node.type === Scalar.PLAIN) {
      const end = entry.keyOffset + entry.key.length;
      joined[joined.length - 1] = { ...before, node: extended(node, end, source) };
    } else joined.push(entry);
  }
  return joined;
}

/** Returns the scalar of the text from the start of `node` to `end`. */
function extended(node: Scalar, end: number, source: string): Scalar {
  const start = node.range?.[0] ?? end;
  const text = folded(source.slice(start, end));
  const scalar = new Scalar(text);
  scalar.source = text;
  scalar.type = Scalar.PLAIN;
  scalar.range = [start, end, end];
  return scalar;
}

/** Replaces each line end and the blanks around it with one blank, as YAML does in plain texts. */
function folded(text: string): string {
  const [first = "", ...others] = text.split("\n");
  const last = others.pop();
  if (last === undefined) return text;
  const between = others.map((line) => line.trim()).filter((line) => line !== "");
  return [first.trimEnd(), ...between, last.trimStart()].join(" ");
}
