/** Lists the places where two values differ, as `path: one, other`. */
export function differences(one: unknown, other: unknown, path = ""): readonly string[] {
  if (isBranch(one) && isBranch(other)) {
    const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
    return [...keys].flatMap((key) =>
      differences(one[key], other[key], path === "" ? key : `${path} > ${key}`),
    );
  }
  const [left, right] = [JSON.stringify(one), JSON.stringify(other)];
  return left === right ? [] : [`${path}: the model has ${left}, PostgreSQL has ${right}`];
}

function isBranch(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
