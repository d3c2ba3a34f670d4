import type { ErrorObject } from "ajv";

/**
 * Merges the faults of a value that matches no branch of a union: instead of one fault per branch and one for the
 * union, it has those of the branch of its own type, or one with the expected types.
 */
export function mergeUnionFaults(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const union = errors.find(({ keyword }) => keyword === "anyOf");
  if (union === undefined) return errors;
  const branches = branchesOf(union, errors);
  const parts = new Set([union, ...branches.flat()]);
  const rest = errors.filter((error) => !parts.has(error));
  return mergeUnionFaults([...rest, ...faultsOf(union, branches)]);
}

/** Groups the faults by branch; those of nested unions are found later. */
function branchesOf(
  union: ErrorObject,
  errors: readonly ErrorObject[],
): readonly (readonly ErrorObject[])[] {
  const byBranch = new Map<string, ErrorObject[]>();
  for (const error of errors) {
    const { schemaPath, instancePath } = error;
    if (error === union || !schemaPath.startsWith(`${union.schemaPath}/`)) continue;
    if (instancePath !== union.instancePath && !instancePath.startsWith(`${union.instancePath}/`))
      continue;
    const branch = schemaPath.slice(union.schemaPath.length + 1).split("/")[0] ?? "";
    byBranch.set(branch, [...(byBranch.get(branch) ?? []), error]);
  }
  return [...byBranch.values()];
}

function faultsOf(
  union: ErrorObject,
  branches: readonly (readonly ErrorObject[])[],
): readonly ErrorObject[] {
  const isOfOtherKind = (error: ErrorObject): boolean =>
    error.keyword === "type" && error.instancePath === union.instancePath;
  const fitting = branches.filter((branch) => !branch.some(isOfOtherKind));
  const [first] = fitting;
  if (first === undefined) {
    const kinds = branches
      .flat()
      .filter(isOfOtherKind)
      .map(({ params }) => String(params["type"]));
    const message = `must be ${[...new Set(kinds)].join(" or ")}`;
    return [{ ...union, keyword: "type", message }];
  }
  const values = fitting.flat().flatMap(({ params }): readonly unknown[] => {
    const allowed: unknown = params["allowedValues"];
    return Array.isArray(allowed) ? allowed : [];
  });
  if (fitting.length === 1 || values.length === 0) return first;
  return [{ ...union, keyword: "enum", params: { allowedValues: values } }];
}
