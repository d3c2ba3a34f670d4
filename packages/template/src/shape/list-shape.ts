import { reportKind, type Shape } from "./shape.ts";

/** Makes a list of at most `max` values. An empty value reads as the empty list. */
export function list<T>(
  item: Shape<T>,
  options: { readonly max: number; readonly min?: number },
): Shape<readonly T[]> {
  const { max, min } = options;
  return {
    schema: {
      type: min === undefined ? ["array", "null"] : "array",
      items: item.schema,
      maxItems: max,
      ...(min === undefined ? {} : { minItems: min }),
    },
    read: (place, reader) => {
      const content = reader.open(place);
      if (content.kind !== "list" && content.kind !== "empty")
        return reportKind(place, reader, content, "a list");
      const items = content.kind === "list" ? content.items : [];
      if (items.length > max || items.length < (min ?? 0)) {
        const wanted = items.length > max ? `at most ${max}` : `at least ${min ?? 0}`;
        reader.reportKey(place, `found ${items.length} items, wanted ${wanted}`);
        return undefined;
      }
      return items.map((one) => item.read(one, reader)).filter((one) => one !== undefined);
    },
  };
}

/** Makes a list of distinct choices, returned in the order of `values`. */
export function choices<const V extends readonly string[]>(
  item: Shape<V[number]>,
  values: V,
): Shape<readonly V[number][]> {
  const plain = list(item, { max: values.length });
  return {
    schema: { ...plain.schema, uniqueItems: true },
    read: (place, reader) => {
      const read = plain.read(place, reader);
      if (read === undefined) return undefined;
      if (new Set(read).size !== read.length)
        reader.report(place, "found the same item twice, wanted each once");
      return values.filter((value) => read.includes(value));
    },
  };
}
