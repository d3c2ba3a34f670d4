import { quoted } from "../quoted.ts";
import type { Place, Reader } from "../reader.ts";
import { didYouMean } from "../suggest.ts";
import { type Field, type JsonSchema, reportKind, type Shape } from "./shape.ts";

type Fields = Readonly<Record<string, Field<unknown>>>;
type ObjectOf<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

/** Makes a map with these keys and no others. An empty value reads as the empty map. */
export function object<const F extends Fields>(fields: F): Shape<ObjectOf<F>> {
  const names = Object.keys(fields);
  const requiredNames = names.filter((name) => fields[name]?.isRequired);
  return {
    schema: {
      type: "object",
      properties: Object.fromEntries(
        Object.entries(fields).map(([name, field]) => [name, field.schema]),
      ),
      ...(requiredNames.length > 0 ? { required: requiredNames } : {}),
      // The rest of a text with a comma: see Reader.joinTornTexts.
      patternProperties: { "\\s": { type: "null" } },
      additionalProperties: false,
    },
    read: (place, reader) => {
      const entries = openMap(
        place,
        reader,
        `a map of ${names.slice(0, 4).join(", ")}${names.length > 4 ? ", …" : ""}`,
      );
      if (entries === undefined) return undefined;
      const result = new Map<string, unknown>(
        Object.entries(fields).map(([name, field]) => [name, field.absent]),
      );
      const missing = new Set(requiredNames);
      for (const entry of reader.joinTornTexts(entries)) {
        if (reader.isFull) break;
        const field = Object.hasOwn(fields, entry.key) ? fields[entry.key] : undefined;
        if (field === undefined) {
          const comma = entry.isBare ? "; a text with a comma needs quotes here" : "";
          const known =
            comma || didYouMean(entry.key, names) || `; known keys: ${names.join(", ")}`;
          reader.reportKey(entry, `unknown key \`${entry.key.slice(0, 60)}\`${known}`);
          continue;
        }
        const value = field.shape.read(entry, reader);
        if (value !== undefined) result.set(entry.key, value);
        else if (field.isRequired) result.delete(entry.key);
        missing.delete(entry.key);
      }
      for (const name of missing) reader.reportKey(place, `missing key \`${name}\``);
      if (requiredNames.some((name) => result.get(name) === undefined)) return undefined;
      // oxlint-disable-next-line no-unsafe-type-assertion -- each key was read by the shape that the type names
      return Object.fromEntries(result) as ObjectOf<F>;
    },
  };
}

export interface RecordOptions {
  /** The pattern of a key, and the same in words. */
  readonly keys: { readonly pattern: string; readonly wanted: string; readonly maxLength?: number };
  readonly max: number;
  readonly min?: number;
}

/** Makes a map from free names to values, read as the list of its values in the order of the file. */
export function record<T>(
  value: Shape<T>,
  options: RecordOptions,
): Shape<readonly (readonly [string, T])[]> {
  const { keys, max, min } = options;
  const pattern = new RegExp(keys.pattern, "u");
  const schema: JsonSchema = {
    type: ["object", "null"],
    propertyNames: {
      pattern: keys.pattern,
      ...(keys.maxLength === undefined ? {} : { maxLength: keys.maxLength }),
      description: keys.wanted,
    },
    additionalProperties: value.schema,
    maxProperties: max,
    ...(min === undefined ? {} : { minProperties: min }),
  };
  const isGoodKey = (key: string) =>
    pattern.test(key) && key.length <= (keys.maxLength ?? Infinity);
  return {
    schema: min === undefined ? schema : { ...schema, type: "object" },
    read: (place, reader) => {
      const entries = openMap(place, reader, "a map");
      if (entries === undefined) return undefined;
      if (entries.length > max || entries.length < (min ?? 0)) {
        const wanted = entries.length > max ? `at most ${max}` : `at least ${min ?? 0}`;
        reader.reportKey(place, `found ${entries.length} entries, wanted ${wanted}`);
        return undefined;
      }
      const result: [string, T][] = [];
      for (const entry of entries) {
        if (!isGoodKey(entry.key)) {
          const length =
            keys.maxLength === undefined ? "" : `, at most ${keys.maxLength} characters`;
          reader.reportKey(
            entry,
            `found the name ${quoted(entry.key)}, wanted ${keys.wanted}${length}`,
          );
        }
        const read = value.read(entry, reader);
        if (read !== undefined) result.push([entry.key, read]);
      }
      return result;
    },
  };
}

/** Reads the entries of a map; a duplicate key is reported and its first value counts. */
function openMap(place: Place, reader: Reader, wanted: string): readonly Place[] | undefined {
  const content = reader.open(place);
  if (content.kind === "empty") return [];
  if (content.kind !== "map") return reportKind(place, reader, content, wanted);
  const seen = new Set<string>();
  return content.entries.filter((entry) => {
    const isNew = !seen.has(entry.key);
    if (!isNew)
      reader.reportKey(
        entry,
        `found the key \`${entry.key.slice(0, 60)}\` a second time, wanted it once`,
      );
    seen.add(entry.key);
    return isNew;
  });
}
