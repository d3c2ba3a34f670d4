import { type RawBuilder, sql } from "kysely";

import { type Invalid, invalidField } from "../errors/errors.ts";
import { readUuid } from "./uuid.ts";

/** One term of a search: `key:value`, or a bare word without a key. */
export interface SearchTerm {
  readonly key: string | undefined;
  readonly value: string;
  /** True if the term has a minus sign before it, and so excludes what it matches. */
  readonly isExcluded: boolean;
}

/**
 * Splits a search into its terms, in lower case; double quotes group. Throws an `Invalid` with `message` for a stray
 * colon.
 */
export function readSearchTerms(q: string, message: string): SearchTerm[] {
  const elements = q.toLowerCase().match(/(?:"[^"]*"|[^\s"])+/g) ?? [];
  return elements.map((element) => {
    const parts = element.match(/(?:"[^"]*"|[^:"])+/g) ?? [];
    const colons = element.replaceAll(/"[^"]*"/g, "").split(":").length - 1;
    const [first = "", second = ""] = parts.map((part) => part.replaceAll('"', ""));
    const isExcluded = /^-./.test(first);
    const word = isExcluded ? first.slice(1) : first;
    if (colons === 0) return { key: undefined, value: word, isExcluded };
    if (colons > 1 || parts.length !== 2) {
      const detail = `Query element "${element.slice(0, 100)}" must have the form key:value`;
      throw invalidField("q", detail, message);
    }
    return { key: word, value: second, isExcluded };
  });
}

/** Conditions that must hold, and others of which none may. */
export type Search<Conditions> = Conditions & {
  /** Conditions that exclude what they match. */
  readonly exclusions?: readonly Conditions[];
};

/** Gathers the conditions of terms, beginning with `none`; of two for one field, the later one counts. */
export function gatherSearch<Conditions extends object>(
  none: Conditions,
  terms: readonly SearchTerm[],
  read: (term: SearchTerm) => Conditions,
): Search<Conditions> {
  const conditions = { ...none };
  const exclusions: Conditions[] = [];
  for (const term of terms) {
    const found = read(term);
    if (term.isExcluded) exclusions.push(found);
    else Object.assign(conditions, found);
  }
  return exclusions.length === 0 ? conditions : { ...conditions, exclusions };
}

/** Returns a search in SQL; `conditionsOf` returns conditions in SQL, which for an exclusion may be null. */
export function searchConditions<Conditions>(
  search: Search<Conditions>,
  conditionsOf: (conditions: Conditions) => readonly RawBuilder<boolean>[],
): readonly RawBuilder<boolean>[] {
  const excluded = (search.exclusions ?? []).flatMap(conditionsOf);
  return [
    ...conditionsOf(search),
    ...excluded.map((condition) => sql<boolean>`(${condition}) is not true`),
  ];
}

/** Reads the values of terms; throws an `Invalid` that names the key of an invalid one. */
export interface TermValues {
  readonly oneOf: <T extends string>(value: string, key: string, known: readonly T[]) => T;
  readonly uuid: (value: string, key: string) => string;
  /** Returns the error of a term. */
  readonly invalid: (key: string, detail: string) => Invalid;
}

/** Returns the reader of the values of a search whose errors have `message`. */
export function termValues(message: string): TermValues {
  const invalid = (key: string, detail: string): Invalid => invalidField(key, detail, message);
  return {
    oneOf: (value, key, known) => {
      const found = known.find((candidate) => candidate === value);
      if (found !== undefined) return found;
      throw invalid(key, `must be one of ${known.join(", ")}, found "${value}"`);
    },
    uuid: (value, key) => {
      const uuid = readUuid(value);
      if (uuid !== undefined) return uuid;
      throw invalid(key, `must be a UUID, found "${value}"`);
    },
    invalid,
  };
}
