import { isAlias, isMap, isScalar, isSeq, type Node, Scalar } from "yaml";

import { maxDefinitionRegexSteps, maxReadCharacters, maxReadValues } from "./limits.ts";
import type { ProblemList } from "./problem.ts";
import { RegexMatcher } from "./regex.ts";
import type { YamlSource } from "./yaml-source.ts";

/** The place of a value in the file. */
export interface Place {
  /** The path, as in `TemplateProblem`. */
  readonly path: string;
  /** The last part of the path: the name of an agent, the slug of an app. */
  readonly key: string;
  /** Offset of the key, or of the value where there is none. */
  readonly keyOffset: number;
  readonly node: Node | null;
  /** True for a key in braces without a colon and a value. */
  readonly isBare: boolean;
}

/** One scalar; `source` is its text before YAML made a number, a boolean or null of it. */
export interface ScalarContent {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  readonly source: string;
  readonly start: number;
  readonly end: number;
}

/** The content of a place; `unreadable` has been reported. */
export type Content =
  | { readonly kind: "empty" }
  | { readonly kind: "unreadable" }
  | ScalarContent
  | { readonly kind: "map"; readonly entries: readonly Place[] }
  | { readonly kind: "list"; readonly items: readonly Place[] };

/** A walk through a parsed file within the limits of `limits.ts`, which collects problems with their places. */
export class Reader {
  readonly root: Place;
  /** Matches values of the file with its regular expressions. */
  readonly matcher = new RegexMatcher(maxDefinitionRegexSteps);
  /** Names of the parameters of the file, whether or not they are well-formed. */
  readonly parameterNames: ReadonlySet<string>;
  readonly #source: YamlSource;
  readonly #problems: ProblemList;
  #valuesLeft = maxReadValues;
  #charactersLeft = maxReadCharacters;
  readonly #followed = new Map<Node, Node | undefined>();

  constructor(source: YamlSource, problems: ProblemList) {
    this.#source = source;
    this.#problems = problems;
    this.root = {
      path: "",
      key: "",
      keyOffset: source.root?.range?.[0] ?? 0,
      node: source.root,
      isBare: false,
    };
    this.parameterNames = new Set(this.#keysOf(this.child(this.root, "parameters")));
  }

  get problemCount(): number {
    return this.#problems.count;
  }

  /** True once further problems would be dropped: reading on is then useless. */
  get isFull(): boolean {
    return this.#problems.isFull;
  }

  /** Reports at the value of a place. */
  report(place: Place, message: string): void {
    const [start, end] = place.node?.range ?? [0, 0];
    this.reportAt(place, start === end ? place.keyOffset : start, message);
  }

  /** Reports at the key of a place. */
  reportKey(place: Place, message: string): void {
    this.reportAt(place, place.keyOffset, message);
  }

  reportAt(place: Place, offset: number, message: string): void {
    this.#problems.add({ ...this.#source.position(offset), path: place.path, message });
  }

  /** Returns the content of a place; follows an alias. */
  open(place: Place): Content {
    if (this.isFull) return { kind: "unreadable" };
    this.#valuesLeft -= 1;
    const content = this.#content(place);
    if (content.kind === "scalar") this.#charactersLeft -= content.source.length;
    if (this.#valuesLeft >= 0 && this.#charactersLeft >= 0) return content;
    if (this.#valuesLeft > -Infinity) {
      const limits = `${maxReadValues} values and ${maxReadCharacters} characters`;
      this.reportKey(
        place,
        `the file is too large from here on, wanted at most ${limits}, aliases counted`,
      );
    }
    this.#valuesLeft = -Infinity; // reported once; nothing more is read
    return { kind: "unreadable" };
  }

  /** Returns the place of a key's value, or of the map itself where it has no such key. */
  child(place: Place, key: string): Place {
    const content = this.#content(place);
    if (content.kind !== "map") return place;
    return content.entries.find((entry) => entry.key === key) ?? place;
  }

  /** Returns the place of an item, or of the list itself where it is shorter. */
  item(place: Place, index: number): Place {
    const content = this.#content(place);
    return (content.kind === "list" ? content.items[index] : undefined) ?? place;
  }

  isList(place: Place): boolean {
    return this.#content(place).kind === "list";
  }

  /**
   * Rejoins texts split at a comma: in braces, `{ error: a few words, or more }` is to YAML a text and a key
   * `or more` without a value. No key of ours has blanks, so such a key is the rest of the plain text before it.
   */
  joinTornTexts(entries: readonly Place[]): readonly Place[] {
    const joined: Place[] = [];
    for (const entry of entries) {
      const before = joined.at(-1);
      const node = before?.node;
      if (
        before !== undefined &&
        isScalar(node) &&
        node.type === Scalar.PLAIN &&
        entry.isBare &&
        /\s/.test(entry.key)
      ) {
        joined[joined.length - 1] = {
          ...before,
          node: this.#stretched(node, entry.keyOffset + entry.key.length),
        };
      } else joined.push(entry);
    }
    return joined;
  }

  /**
   * Returns the offset in the file of the `index`th character of a scalar's text, if `mark`s begin there and can be
   * counted.
   */
  offsetOf(place: Place, text: string, index: number, mark: string): number {
    const content = this.#content(place);
    if (content.kind !== "scalar") return place.keyOffset;
    const raw = offsetsOf(mark, this.#source.text.slice(content.start, content.end));
    const marks = offsetsOf(mark, text);
    // Block texts lose their indentation and quoted ones their escapes, but a mark without blanks stays whole.
    const found = raw.length === marks.length ? raw[marks.indexOf(index)] : undefined;
    return content.start + (found ?? 0);
  }

  #stretched(node: Scalar, end: number): Scalar {
    const start = node.range?.[0] ?? end;
    const text = folded(this.#source.text.slice(start, end));
    const stretched = new Scalar(text);
    stretched.source = text;
    stretched.type = Scalar.PLAIN;
    stretched.range = [start, end, end];
    return stretched;
  }

  #keysOf(place: Place): readonly string[] {
    const content = this.#content(place);
    return content.kind === "map" && place !== this.root
      ? content.entries.map((entry) => entry.key)
      : [];
  }

  #content(place: Place): Content {
    const node = isAlias(place.node) ? this.#follow(place, place.node) : place.node;
    if (node === undefined) return { kind: "unreadable" };
    if (node === null) return { kind: "empty" };
    if (isMap(node)) {
      const isFlow = node.flow === true;
      return { kind: "map", entries: node.items.map((pair) => entryPlace(place, pair, isFlow)) };
    }
    if (isSeq(node))
      return {
        kind: "list",
        items: node.items.map((item, index) => itemPlace(place, item, index)),
      };
    if (!isScalar(node)) return { kind: "empty" };
    const [start, end] = node.range ?? [place.keyOffset, place.keyOffset];
    const value = scalarValue(node.value);
    if (value === null && start === end) return { kind: "empty" };
    return { kind: "scalar", value, source: node.source ?? String(value), start, end };
  }

  #follow(place: Place, alias: Node): Node | undefined {
    if (this.#followed.has(alias)) return this.#followed.get(alias);
    const isAllowed = this.#followed.size < maxAliases;
    const target = isAllowed ? this.#source.followAlias(alias) : undefined;
    this.#followed.set(alias, target);
    if (target === undefined) {
      const wanted = isAllowed
        ? "an alias without its anchor"
        : `more than ${maxAliases} aliases, wanted at most that`;
      this.report(place, `found ${wanted}`);
    }
    return target;
  }
}

const maxAliases = 200;

function entryPlace(
  parent: Place,
  pair: { readonly key: unknown; readonly value: unknown },
  isFlow: boolean,
): Place {
  const keyNode = isScalar(pair.key) ? pair.key : undefined;
  const key = keyNode?.source ?? "?";
  const node = nodeOf(pair.value);
  const keyOffset = nodeOf(pair.key)?.range?.[0] ?? node?.range?.[0] ?? parent.keyOffset;
  const path = parent.path === "" ? key : `${parent.path}.${key}`;
  return { path, key, keyOffset, node, isBare: isFlow && pair.value === null };
}

function itemPlace(parent: Place, item: unknown, index: number): Place {
  const node = nodeOf(item);
  const keyOffset = node?.range?.[0] ?? parent.keyOffset;
  return { path: `${parent.path}[${index}]`, key: String(index), keyOffset, node, isBare: false };
}

function nodeOf(value: unknown): Node | null {
  return isAlias(value) || isMap(value) || isSeq(value) || isScalar(value) ? value : null;
}

function scalarValue(value: unknown): ScalarContent["value"] {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return value;
  return null;
}

/** Replaces each line end and the blanks around it with one blank, as YAML does in plain texts. */
function folded(text: string): string {
  const [first = "", ...others] = text.split("\n");
  const last = others.pop();
  if (last === undefined) return text;
  const between = others.map((line) => line.trim()).filter((line) => line !== "");
  return [first.trimEnd(), ...between, last.trimStart()].join(" ");
}

function offsetsOf(mark: string, text: string): readonly number[] {
  const offsets: number[] = [];
  for (let at = text.indexOf(mark); at !== -1; at = text.indexOf(mark, at + 1)) offsets.push(at);
  return offsets;
}
