/** Turns schemas into those of a document, in which named schemas are references. */
export interface Components {
  /** Returns a schema with references in place of named schemas. */
  readonly refer: (schema: unknown) => JsonObject;
  /** Returns the named schemas that were referred to, and those that they refer to. */
  readonly used: JsonObject;
}

/** Takes `named` schemas by name; an equal schema anywhere becomes a reference to the first of its names. */
export function createComponents(named: ReadonlyMap<string, unknown>): Components {
  const names = new Map<string, string>();
  for (const [name, schema] of named) {
    const text = JSON.stringify(schema);
    if (!names.has(text)) names.set(text, name);
  }
  const used: Record<string, JsonObject> = {};

  const refer = (schema: unknown): JsonObject => {
    const name = names.get(JSON.stringify(schema));
    if (name === undefined) return describe(schema);
    if (!(name in used)) {
      used[name] = {};
      used[name] = describe(named.get(name));
    }
    return { $ref: `#/components/schemas/${name}` };
  };
  const describe = (schema: unknown): JsonObject => {
    if (!isJsonObject(schema)) return {};
    const entries = Object.entries(schema).map(([key, value]) => describeKeyword(key, value));
    return Object.fromEntries(entries);
  };
  const describeKeyword = (key: string, value: unknown): readonly [string, unknown] => {
    const any = isJsonObject(value) ? value[anyKey] : undefined;
    // The plain form of a record with values of any type.
    if (key === "patternProperties" && any !== undefined) {
      return ["additionalProperties", refer(any)];
    }
    if (schemaMaps.has(key) && isJsonObject(value)) {
      const properties = Object.entries(value).map(([name, inner]) => [name, refer(inner)]);
      return [key, Object.fromEntries(properties)];
    }
    if (schemaLists.has(key) && Array.isArray(value)) return [key, value.map(refer)];
    if (schemas.has(key) && isJsonObject(value)) return [key, refer(value)];
    return [key, value];
  };
  return { refer, used };
}

/** The pattern that TypeBox uses for a record with arbitrary keys. */
const anyKey = "^.*$";
const schemas = new Set(["items", "additionalProperties", "not"]);
const schemaLists = new Set(["anyOf", "allOf", "oneOf", "prefixItems"]);
const schemaMaps = new Set(["properties", "patternProperties"]);

/** A JSON value whose keys are read and written by name. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
