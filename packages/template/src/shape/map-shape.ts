import type { Location } from "../location.ts";
import { quote, truncate } from "../quote.ts";
import type { Reader } from "../reader.ts";
import { didYouMean } from "../suggest.ts";
import {
  type CountLimits,
  countProblem,
  type Field,
  type JsonSchema,
  reportMismatch,
  type Shape,
} from "./shape.ts";

type Fields = Readonly<Record<string, Field<unknown>>>;
type ObjectOf<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

/** Makes a map with these keys and no others. An empty value reads as the empty map. */
export function object<const F extends Fields>(fields: F): Shape<ObjectOf<F>> {
  const names = Object.keys(fields);
  const requiredNames = names.filter((name) => fields[name]?.isRequired);
  const wanted = `a map with ${names.slice(0, 4).join(", ")}${names.length > 4 ? ", …" : ""}`;
  return {
    schema: {
      type: "object",
      properties: Object.fromEntries(
        Object.entries(fields).map(([name, field]) => [name, field.schema]),
      ),
      ...(requiredNames.length > 0 ? { required: requiredNames } : {}),
      // The rest of a text with a comma: see joinSplitTexts.
      patternProperties: { "\\s": { type: "null" } },
      additionalProperties: false,
    },
    read: (location, reader) => {
      const entries = openMap(location, reader, wanted);
      if (entries === undefined) return undefined;
      const result = new Map<string, unknown>(
        Object.entries(fields).map(([name, field]) => [name, field.absent]),
      );
      const missing = new Set(requiredNames);
      for (const entry of reader.joinSplitTexts(entries)) {
        if (reader.isFull) break;
        const field = Object.hasOwn(fields, entry.key) ? fields[entry.key] : undefined;
        if (field === undefined) {
          reader.reportKey(entry, unknownKeyText(entry, names));
          continue;
        }
        const value = field.shape.read(entry, reader);
        if (value !== undefined) result.set(entry.key, value);
        else if (field.isRequired) result.delete(entry.key);
        missing.delete(entry.key);
      }
      for (const name of missing) reader.reportKey(location, `missing key \`${name}\``);
      if (requiredNames.some((name) => result.get(name) === undefined)) return undefined;
      // oxlint-disable-next-line no-unsafe-type-assertion -- each key was read by the shape that the type names
      return Object.fromEntries(result) as ObjectOf<F>;
    },
  };
}

function unknownKeyText({ key, isBare }: Location, names: readonly string[]): string {
  const hint = isBare
    ? "; a text with a comma needs quotes here"
    : didYouMean(key, names) || `; known keys: ${names.join(", ")}`;
  return `unknown key \`${truncate(key)}\`${hint}`;
}

export interface RecordOptions extends CountLimits {
  /** The pattern of a key, and its description in words. */
  readonly keys: { readonly pattern: string; readonly wanted: string; readonly maxLength?: number };
}

/** Makes a map from arbitrary names to values, read as a list of its values in the order of the file. */
export function record<T>(
  value: Shape<T>,
  options: RecordOptions,
): Shape<readonly (readonly [string, T])[]> {
  const { max, min } = options;
  const { pattern, wanted, maxLength } = options.keys;
  const keyPattern = new RegExp(pattern, "u");
  const lengthText = maxLength === undefined ? "" : `, at most ${maxLength} characters`;
  const schema: JsonSchema = {
    type: min === undefined ? ["object", "null"] : "object",
    propertyNames: {
      pattern,
      ...(maxLength === undefined ? {} : { maxLength }),
      description: wanted,
    },
    additionalProperties: value.schema,
    maxProperties: max,
    ...(min === undefined ? {} : { minProperties: min }),
  };
  return {
    schema,
    read: (location, reader) => {
      const entries = openMap(location, reader, "a map");
      if (entries === undefined) return undefined;
      const problem = countProblem(entries.length, "entries", options);
      if (problem !== undefined) return reader.reportKey(location, problem);
      const result: [string, T][] = [];
      for (const entry of entries) {
        const { key } = entry;
        if (!keyPattern.test(key) || key.length > (maxLength ?? Infinity))
          reader.reportKey(entry, `found the name ${quote(key)}, wanted ${wanted}${lengthText}`);
        const read = value.read(entry, reader);
        if (read !== undefined) result.push([key, read]);
      }
      return result;
    },
  };
}

/** Reads the entries of a map; reports duplicate keys and uses their first value. */
function openMap(
  location: Location,
  reader: Reader,
  wanted: string,
): readonly Location[] | undefined {
  const content = reader.open(location);
  if (content.kind === "empty") return [];
  if (content.kind !== "map") return reportMismatch(location, reader, content, wanted);
  const seen = new Set<string>();
  return content.entries.filter((entry) => {
    const isNew = !seen.has(entry.key);
    if (!isNew) reader.reportKey(entry, `duplicate key \`${truncate(entry.key)}\``);
    seen.add(entry.key);
    return isNew;
  });
}
