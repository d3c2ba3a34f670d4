import { hideInWords, type HideSecrets } from "./secret-text.ts";

/**
 * Returns the part of a value that may go into a bundle; undefined for none. Anything not explicitly allowed is left
 * out, so that a field added by a later server is not passed on by accident.
 */
export type Allowance = (found: unknown, hide: HideSecrets) => unknown;

/** The maximum number of list entries or map fields, and of characters of a text. */
export const maxEntries = 200;
export const maxTextLength = 4_000;

/** Allows a number, a boolean, null, or a text of the server: a name, an id, a state, an address. */
export const value: Allowance = (found, hide) => {
  if (typeof found === "string") return cut(hide(found));
  return found === null || typeof found === "number" || typeof found === "boolean"
    ? found
    : undefined;
};

/** Allows the words of a program: a message or a problem. */
export const words: Allowance = (found, hide) => value(found, hideInWords(hide));

/** Allows the names of an object's fields, without their values. */
export const names: Allowance = (found, hide) =>
  isObject(found) ? list(value)(Object.keys(found), hide) : undefined;

export function list(entry: Allowance): Allowance {
  return (found, hide) =>
    Array.isArray(found) ? found.slice(0, maxEntries).map((each) => entry(each, hide)) : undefined;
}

/** Allows only these fields of an object. */
export function fields(allowed: Readonly<Record<string, Allowance>>): Allowance {
  return (found, hide) => {
    if (!isObject(found)) return found === null ? null : undefined;
    return Object.fromEntries(
      Object.entries(allowed).flatMap(([name, allowance]) => {
        if (!Object.hasOwn(found, name)) return [];
        return [[name, allowance(Reflect.get(found, name), hide)]];
      }),
    );
  };
}

/** Allows an object whose names are data, such as regions. */
export function map(entry: Allowance): Allowance {
  return (found, hide) => {
    if (!isObject(found)) return undefined;
    const entries = Object.entries(found).slice(0, maxEntries);
    return Object.fromEntries(
      entries.map(([name, each]) => [cut(hide(name)), entry(each, hide)] as const),
    );
  };
}

function isObject(found: unknown): found is object {
  return typeof found === "object" && found !== null && !Array.isArray(found);
}

function cut(text: string): string {
  return text.length <= maxTextLength ? text : `${text.slice(0, maxTextLength)}…`;
}
