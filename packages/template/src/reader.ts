import { isAlias, isMap, isScalar, isSeq, type Node } from "yaml";

import { maxDefinitionRegexSteps, maxReadCharacters, maxReadValues } from "./limits.ts";
import { entryLocation, itemLocation, type Location } from "./location.ts";
import type { ProblemList } from "./problem.ts";
import { RegexMatcher } from "./regex.ts";
import { joinSplitTexts } from "./split-text.ts";
import type { YamlSource } from "./yaml-source.ts";

/** One scalar; `source` is its text before YAML converted it to a number, a boolean or null. */
export interface ScalarContent {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  readonly source: string;
  readonly start: number;
  readonly end: number;
}

/** The content of a location; `unreadable` has already been reported. */
export type Content =
  | { readonly kind: "empty" }
  | { readonly kind: "unreadable" }
  | ScalarContent
  | { readonly kind: "map"; readonly entries: readonly Location[] }
  | { readonly kind: "list"; readonly items: readonly Location[] };

/** A walk through a parsed file within the limits of `limits.ts`, which collects problems with their locations. */
export class Reader {
  readonly root: Location;
  /** A matcher of the file's values with its regular expressions. */
  readonly matcher = new RegexMatcher(maxDefinitionRegexSteps);
  /** The names of the file's parameters, whether well-formed or not. */
  readonly parameterNames: ReadonlySet<string>;
  readonly #source: YamlSource;
  readonly #problems: ProblemList;
  #valuesLeft = maxReadValues;
  #charactersLeft = maxReadCharacters;
  readonly #followed = new Map<Node, Node | undefined>();
  readonly #contents = new Map<Location, Content>();

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

  /** True once further problems would be dropped, so that reading on is useless. */
  get isFull(): boolean {
    return this.#problems.isFull;
  }

  /** Reports at the value of a location. */
  report(location: Location, message: string): undefined {
    const [start, end] = location.node?.range ?? [0, 0];
    this.reportAt(location, start === end ? location.keyOffset : start, message);
  }

  /** Reports at the key of a location. */
  reportKey(location: Location, message: string): undefined {
    this.reportAt(location, location.keyOffset, message);
  }

  reportAt(location: Location, offset: number, message: string): undefined {
    this.#problems.add({ ...this.#source.position(offset), path: location.path, message });
  }

  /** Returns the content of a location; follows an alias. */
  open(location: Location): Content {
    if (this.isFull) return { kind: "unreadable" };
    this.#valuesLeft -= 1;
    const content = this.#content(location);
    if (content.kind === "scalar") this.#charactersLeft -= content.source.length;
    if (this.#valuesLeft >= 0 && this.#charactersLeft >= 0) return content;
    if (this.#valuesLeft > -Infinity) {
      const limits = `${maxReadValues} values or ${maxReadCharacters} characters`;
      this.reportKey(location, `the file is too large: found more than ${limits}, aliases counted`);
    }
    this.#valuesLeft = -Infinity; // reported once; nothing more is read
    return { kind: "unreadable" };
  }

  /** Returns the location at a path of keys and indexes below another. Missing parts are skipped. */
  child(location: Location, ...path: readonly (string | number)[]): Location {
    return path.reduce((at: Location, part) => this.#part(at, part) ?? at, location);
  }

  isList(location: Location): boolean {
    return this.#content(location).kind === "list";
  }

  joinSplitTexts(entries: readonly Location[]): readonly Location[] {
    return joinSplitTexts(entries, this.#source.text);
  }

  /**
   * Returns the offset in the file of the `index`th character of a scalar's text, if `mark`s start there and can be
   * counted.
   */
  offsetOf(location: Location, text: string, index: number, mark: string): number {
    const content = this.#content(location);
    if (content.kind !== "scalar") return location.keyOffset;
    const raw = offsetsOf(mark, this.#source.text.slice(content.start, content.end));
    const marks = offsetsOf(mark, text);
    // Block texts lose their indentation and quoted texts their escapes, but a mark without blanks stays whole.
    const found = raw.length === marks.length ? raw[marks.indexOf(index)] : undefined;
    return content.start + (found ?? 0);
  }

  #part(location: Location, part: string | number): Location | undefined {
    const content = this.#content(location);
    if (typeof part === "number") return content.kind === "list" ? content.items[part] : undefined;
    return content.kind === "map" ? content.entries.find(({ key }) => key === part) : undefined;
  }

  #keysOf(location: Location): readonly string[] {
    const content = this.#content(location);
    return content.kind === "map" && location !== this.root
      ? content.entries.map((entry) => entry.key)
      : [];
  }

  #content(location: Location): Content {
    const known = this.#contents.get(location);
    if (known !== undefined) return known;
    const content = this.#contentOf(location);
    this.#contents.set(location, content);
    return content;
  }

  #contentOf(location: Location): Content {
    const node = isAlias(location.node) ? this.#follow(location, location.node) : location.node;
    if (node === undefined) return { kind: "unreadable" };
    if (isMap(node)) {
      const isFlow = node.flow === true;
      return {
        kind: "map",
        entries: node.items.map((pair) => entryLocation(location, pair, isFlow)),
      };
    }
    if (isSeq(node))
      return {
        kind: "list",
        items: node.items.map((item, index) => itemLocation(location, item, index)),
      };
    if (!isScalar(node)) return { kind: "empty" };
    const [start, end] = node.range ?? [location.keyOffset, location.keyOffset];
    const value = scalarValue(node.value);
    if (value === null && start === end) return { kind: "empty" };
    return { kind: "scalar", value, source: node.source ?? String(value), start, end };
  }

  #follow(location: Location, alias: Node): Node | undefined {
    if (this.#followed.has(alias)) return this.#followed.get(alias);
    const isAllowed = this.#followed.size < maxAliases;
    const target = isAllowed ? this.#source.followAlias(alias) : undefined;
    this.#followed.set(alias, target);
    if (target === undefined) {
      const found = isAllowed ? "an alias without an anchor" : `more than ${maxAliases} aliases`;
      this.report(location, `found ${found}`);
    }
    return target;
  }
}

const maxAliases = 200;

function scalarValue(value: unknown): ScalarContent["value"] {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return value;
  return null;
}

function offsetsOf(mark: string, text: string): readonly number[] {
  const offsets: number[] = [];
  for (let at = text.indexOf(mark); at !== -1; at = text.indexOf(mark, at + 1)) offsets.push(at);
  return offsets;
}
