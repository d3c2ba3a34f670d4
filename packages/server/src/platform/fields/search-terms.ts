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
