import type { Location } from "../location.ts";
import type { Reader } from "../reader.ts";
import { reportMismatch, type Shape } from "./shape.ts";

/** A value of a map that others define. */
type PlainValue =
  | string
  | number
  | boolean
  | null
  | readonly PlainValue[]
  | { readonly [name: string]: PlainValue };

export type PlainMap = Readonly<Record<string, PlainValue>>;

/** The maximum depth of such a map: that of a pod has about ten levels. */
const maxDepth = 24;

/** Names that are properties of every object. */
const refusedNames: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** A map whose keys others define, as it stands in the file. Its size is bounded by that of the whole file. */
export const plainMap: Shape<PlainMap> = {
  schema: { type: "object", additionalProperties: true },
  read: (location, reader) => {
    const content = reader.open(location);
    if (content.kind === "empty") return {};
    if (content.kind !== "map") return reportMismatch(location, reader, content, "a map");
    return readMap(content.entries, reader, 1);
  },
};

function readMap(entries: readonly Location[], reader: Reader, depth: number): PlainMap {
  const read = new Map<string, PlainValue>();
  for (const entry of entries) {
    if (reader.isFull) break;
    if (read.has(entry.key)) reader.reportKey(entry, `duplicate key \`${entry.key}\``);
    else if (refusedNames.has(entry.key)) reader.reportKey(entry, `unknown key \`${entry.key}\``);
    else read.set(entry.key, readValue(entry, reader, depth));
  }
  return Object.fromEntries(read);
}

function readValue(location: Location, reader: Reader, depth: number): PlainValue {
  if (depth > maxDepth) {
    reader.report(location, `found more than ${maxDepth} levels, wanted fewer`);
    return null;
  }
  const content = reader.open(location);
  switch (content.kind) {
    case "map":
      return readMap(content.entries, reader, depth + 1);
    case "list":
      return content.items.map((item) => readValue(item, reader, depth + 1));
    case "scalar":
      return content.value;
    case "empty":
    case "unreadable":
      return null;
  }
}
