import { type CountLimits, countProblem, reportMismatch, type Shape } from "./shape.ts";

/** Makes a list. An empty value reads as the empty list. */
export function list<T>(item: Shape<T>, limits: CountLimits): Shape<readonly T[]> {
  const { max, min } = limits;
  return {
    schema: {
      type: min === undefined ? ["array", "null"] : "array",
      items: item.schema,
      maxItems: max,
      ...(min === undefined ? {} : { minItems: min }),
    },
    read: (location, reader) => {
      const content = reader.open(location);
      if (content.kind !== "list" && content.kind !== "empty")
        return reportMismatch(location, reader, content, "a list");
      const items = content.kind === "list" ? content.items : [];
      const problem = countProblem(items.length, "items", limits);
      if (problem !== undefined) return reader.reportKey(location, problem);
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
    read: (location, reader) => {
      const read = plain.read(location, reader);
      if (read === undefined) return undefined;
      if (new Set(read).size !== read.length)
        reader.report(location, "found the same item twice, wanted each once");
      return values.filter((value) => read.includes(value));
    },
  };
}
