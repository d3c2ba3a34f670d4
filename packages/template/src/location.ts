import { isAlias, isMap, isScalar, isSeq, type Node } from "yaml";

/** The location of a value in the file. */
export interface Location {
  /** The path, as in `TemplateProblem`. */
  readonly path: string;
  /** The last part of the path, such as the name of an agent or the slug of an app. */
  readonly key: string;
  /** The offset of the key, or of the value if there is no key. */
  readonly keyOffset: number;
  readonly node: Node | null;
  /** True for a key in braces without a colon and a value. */
  readonly isBare: boolean;
}

/** Returns the location of an entry of a map. */
export function entryLocation(
  parent: Location,
  pair: { readonly key: unknown; readonly value: unknown },
  isFlow: boolean,
): Location {
  const keyNode = isScalar(pair.key) ? pair.key : undefined;
  const key = keyNode?.source ?? "?";
  const node = nodeOf(pair.value);
  const keyOffset = nodeOf(pair.key)?.range?.[0] ?? node?.range?.[0] ?? parent.keyOffset;
  const path = parent.path === "" ? key : `${parent.path}.${key}`;
  return { path, key, keyOffset, node, isBare: isFlow && pair.value === null };
}

/** Returns the location of an item of a list. */
export function itemLocation(parent: Location, item: unknown, index: number): Location {
  const node = nodeOf(item);
  const keyOffset = node?.range?.[0] ?? parent.keyOffset;
  return { path: `${parent.path}[${index}]`, key: String(index), keyOffset, node, isBare: false };
}

function nodeOf(value: unknown): Node | null {
  return isAlias(value) || isMap(value) || isSeq(value) || isScalar(value) ? value : null;
}
