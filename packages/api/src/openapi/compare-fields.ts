import { isJsonObject, type JsonObject } from "./components.ts";

/** The comparable form of a schema: its type as one word, and the shapes of its parts. */
export interface Shape {
  readonly type: string;
  /** `name` for a field, `[]` for the items of a list, `{}` for the values of a record. */
  readonly parts: ReadonlyMap<string, Shape>;
}

/** Reads a schema of Swagger 2 or OpenAPI 3.1; `root` is the document that its references point into. */
export function shapeOf(schema: unknown, root: object): Shape {
  const resolved = withoutNull(resolve(schema, root), root);
  const parts = new Map<string, Shape>();
  if (resolved["x-wire-type"] === "string-or-null") return { type: "string", parts };
  const properties = resolved["properties"];
  if (isJsonObject(properties)) {
    for (const [name, inner] of Object.entries(properties)) {
      const wireName = isJsonObject(inner) ? inner["x-wire-name"] : undefined;
      parts.set(typeof wireName === "string" ? wireName : name, shapeOf(inner, root));
    }
  }
  if (isJsonObject(resolved["items"])) parts.set("[]", shapeOf(resolved["items"], root));
  const values = resolved["additionalProperties"];
  if (isJsonObject(values)) parts.set("{}", shapeOf(values, root));
  return { type: typeOf(resolved, root), parts };
}

/** Lists the differences, one per line, by the path of the field. */
export function compareFields(theirs: Shape, ours: Shape, path: string): string[] {
  const names = [...new Set([...theirs.parts.keys(), ...ours.parts.keys()])];
  return [
    ...(theirs.type === ours.type ? [] : [`${path}: ${ours.type} for ${theirs.type}`]),
    ...names.flatMap((name) => {
      const [their, own] = [theirs.parts.get(name), ours.parts.get(name)];
      const inner = name === "[]" || name === "{}" ? `${path}${name}` : `${path}.${name}`;
      if (own === undefined) return [`${inner}: missing`];
      if (their === undefined) return [`${inner}: more`];
      return compareFields(their, own, inner);
    }),
  ];
}

function typeOf(schema: JsonObject, root: object): string {
  const { type, format, enum: values, anyOf: choices } = schema;
  if (Array.isArray(values)) return values.map(String).toSorted().join("|");
  if (Array.isArray(choices)) {
    return choices.map((choice: unknown) => typeOf(resolve(choice, root), root)).join(" or ");
  }
  if (typeof type !== "string") return "anything";
  return format === "date-time" ? `${type} (${format})` : type;
}

/** Drops null, which Swagger 2 does not have: a nullable field is compared as its other type. */
function withoutNull(schema: JsonObject, root: object): JsonObject {
  const list: unknown = schema["anyOf"] ?? schema["allOf"];
  if (!Array.isArray(list)) return schema;
  const choices = list.map((choice: unknown) => resolve(choice, root));
  const present = choices.filter((choice) => choice["type"] !== "null");
  return present.length === 1 ? (present[0] ?? {}) : schema;
}

function resolve(schema: unknown, root: object): JsonObject {
  if (!isJsonObject(schema)) return {};
  const reference = schema["$ref"];
  if (typeof reference !== "string") return schema;
  const path = reference.replace("#/", "").split("/");
  const found = path.reduce<unknown>(
    (value, key) => (isJsonObject(value) ? value[key] : undefined),
    root,
  );
  return resolve(found, root);
}
