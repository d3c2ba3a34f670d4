import { cut, quoted } from "../quoted.ts";
import type { Content, Place, Reader } from "../reader.ts";

/** A JSON schema (draft 7) of one value. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The permitted values of a field in `slipway.yaml`: for editors as a JSON schema, for the server as a reader. Shapes
 * are the single source of the file format.
 */
export interface Shape<T> {
  readonly schema: JsonSchema;
  /** Returns the value, or undefined once a problem has been reported. */
  read(place: Place, reader: Reader): T | undefined;
}

/** A key of a map: its meaning and its default. */
export interface Field<T> {
  readonly shape: Shape<T>;
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
  /** The value of an absent or malformed key. Not read for required ones. */
  readonly absent: T | undefined;
}

/** The meaning of a field, with a value as it may stand in the file. */
export interface Description {
  readonly description: string;
  readonly examples: readonly unknown[];
}

export function about(description: string, example: unknown): Description {
  return { description, examples: [example] };
}

export function required<T>(meaning: string | Description, shape: Shape<T>): Field<T> {
  return { shape, schema: described(shape, meaning), isRequired: true, absent: undefined };
}

export function optional<T>(meaning: string | Description, shape: Shape<T>): Field<T | undefined> {
  return { shape, schema: described(shape, meaning), isRequired: false, absent: undefined };
}

/** Adds a default; `shown` is its form in the file, where that differs. */
export function withDefault<T>(
  meaning: string | Description,
  shape: Shape<T>,
  absent: T,
  shown?: unknown,
): Field<T> {
  const schema = { ...described(shape, meaning), default: shown ?? absent };
  return { shape, schema, isRequired: false, absent };
}

/** Maps the value that was read to another. */
export function mapped<T, U>(shape: Shape<T>, to: (value: T, place: Place) => U): Shape<U> {
  return {
    schema: shape.schema,
    read: (place, reader) => {
      const value = shape.read(place, reader);
      return value === undefined ? undefined : to(value, place);
    },
  };
}

/**
 * Looks for contradictions inside a value, but only in one whose parts are well-formed, so as to report no
 * consequential problems.
 */
export function checked<T>(
  shape: Shape<T>,
  check: (value: T, place: Place, reader: Reader) => void,
): Shape<T> {
  return {
    schema: shape.schema,
    read: (place, reader) => {
      const before = reader.problemCount;
      const value = shape.read(place, reader);
      if (value !== undefined && reader.problemCount === before) check(value, place, reader);
      return value;
    },
  };
}

/** Reports content of the wrong kind; `wanted` completes the sentence "wanted …". */
export function reportKind(
  place: Place,
  reader: Reader,
  content: Content,
  wanted: string,
): undefined {
  if (content.kind === "unreadable") return undefined;
  reader.report(place, `found ${contentText(content)}, wanted ${wanted}`);
  return undefined;
}

/** Names a value in a message: `the text "abc"`. Long ones are cut. */
export function contentText(content: Content): string {
  switch (content.kind) {
    case "empty":
      return "nothing";
    case "unreadable":
      return "something unreadable";
    case "map":
      return "a map";
    case "list":
      return "a list";
    case "scalar":
      if (typeof content.value === "string") return quoted(content.value);
      return content.value === null ? "null" : `the ${typeof content.value} ${cut(content.source)}`;
  }
}

function described(shape: Shape<unknown>, meaning: string | Description): JsonSchema {
  const words = typeof meaning === "string" ? { description: meaning } : meaning;
  return { ...shape.schema, ...words };
}
