import type { Location } from "../location.ts";
import { quote, truncate } from "../quote.ts";
import type { Content, Reader } from "../reader.ts";

/** A JSON schema (draft 7) of one value. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The permitted values of a field in `slipway.yaml`: a JSON schema for editors and a reader for the server. Shapes
 * are the single source of the file format.
 */
export interface Shape<T> {
  readonly schema: JsonSchema;
  /** Returns the value, or undefined once a problem has been reported. */
  read(location: Location, reader: Reader): T | undefined;
}

export type ValueOf<S> = S extends Shape<infer T> ? T : never;

/** A key of a map: its meaning and its default. */
export interface Field<T> {
  readonly shape: Shape<T>;
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
  /** The value of an absent or malformed key. Not read for required ones. */
  readonly absent: T | undefined;
}

/** The meaning of a field, with an example value for the file. */
export interface Description {
  readonly description: string;
  readonly examples: readonly unknown[];
}

export function withExample(description: string, example: unknown): Description {
  return { description, examples: [example] };
}

export function required<T>(meaning: string | Description, shape: Shape<T>): Field<T> {
  return { shape, schema: fieldSchema(shape, meaning), isRequired: true, absent: undefined };
}

export function optional<T>(meaning: string | Description, shape: Shape<T>): Field<T | undefined> {
  return { shape, schema: fieldSchema(shape, meaning), isRequired: false, absent: undefined };
}

/** Adds a default; `written` is its form in the file if that differs. */
export function withDefault<T>(
  meaning: string | Description,
  shape: Shape<T>,
  absent: T,
  written?: unknown,
): Field<T> {
  const schema = { ...fieldSchema(shape, meaning), default: written ?? absent };
  return { shape, schema, isRequired: false, absent };
}

/** Makes a field for a map, which is empty by default. */
export function optionalMap<T>(
  meaning: string | Description,
  shape: Shape<readonly T[]>,
): Field<readonly T[]> {
  return withDefault(meaning, shape, [], {});
}

function fieldSchema(shape: Shape<unknown>, meaning: string | Description): JsonSchema {
  const words = typeof meaning === "string" ? { description: meaning } : meaning;
  return { ...shape.schema, ...words };
}

/** Converts the value after reading it. */
export function transform<T, U>(
  shape: Shape<T>,
  to: (value: T, location: Location) => U,
): Shape<U> {
  return {
    schema: shape.schema,
    read: (location, reader) => {
      const value = shape.read(location, reader);
      return value === undefined ? undefined : to(value, location);
    },
  };
}

/**
 * Checks a value for contradictions, but only if its parts are well-formed, to avoid reporting consequential
 * problems.
 */
export function refine<T>(
  shape: Shape<T>,
  check: (value: T, location: Location, reader: Reader) => void,
): Shape<T> {
  return {
    schema: shape.schema,
    read: (location, reader) => {
      const before = reader.problemCount;
      const value = shape.read(location, reader);
      if (value !== undefined && reader.problemCount === before) check(value, location, reader);
      return value;
    },
  };
}

/** Reports content of the wrong kind; `wanted` completes the sentence "wanted …". */
export function reportMismatch(
  location: Location,
  reader: Reader,
  content: Content,
  wanted: string,
): undefined {
  if (content.kind === "unreadable") return undefined;
  reader.report(location, `found ${describeContent(content)}, wanted ${wanted}`);
  return undefined;
}

/** Names a value in a message: `the number 5`. Long values are cut. */
export function describeContent(content: Content): string {
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
      if (typeof content.value === "string") return quote(content.value);
      return content.value === null
        ? "null"
        : `the ${typeof content.value} ${truncate(content.source)}`;
  }
}

/** The permitted number of items or entries, inclusive. */
export interface CountLimits {
  readonly max: number;
  readonly min?: number;
}

/** Explains why a list or map has too few or too many of its `unit`; undefined if it has neither. */
export function countProblem(
  count: number,
  unit: "items" | "entries",
  { max, min = 0 }: CountLimits,
): string | undefined {
  if (count >= min && count <= max) return undefined;
  return `found ${count} ${unit}, wanted ${count > max ? `at most ${max}` : `at least ${min}`}`;
}
