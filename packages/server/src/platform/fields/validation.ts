import { countText } from "@slipway/runtime";
import { Ajv, type ErrorObject } from "ajv";

import { type Invalid, invalidFields } from "../errors/errors.ts";

/** RFC 3339; calendar checks are left to the code that uses the time. */
const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i;
const uuid =
  /^(?:urn:uuid:)?\{?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\}?$/i;

interface ValidatorOptions {
  /** True to report all faults of a value; a large value may have as many as it has parts. */
  readonly findsAll: boolean;
}

/** Creates the validator of all requests: strict about types, tolerant of unknown keys. */
export function createValidator({ findsAll }: ValidatorOptions = { findsAll: false }): Ajv {
  const ajv = new Ajv({
    allErrors: findsAll,
    coerceTypes: false,
    removeAdditional: false,
    strict: false,
    // The schemas are ours, and a test validates them: compiling the schema of schemas takes a turn of the event loop.
    validateSchema: false,
    meta: false,
  });
  ajv.addFormat("date-time", dateTime);
  ajv.addFormat("uuid", uuid);
  return ajv;
}

/** The maximum number of faults in one answer. */
const maxValidations = 20;
/** The maximum number of validator errors that are processed. */
const maxErrors = 200;

/** Returns the error that names each refused field, with the expected value. */
export function validationError(errors: readonly ErrorObject[]): Invalid {
  // The work for each union scans all faults of a body that may be large.
  const faults = mergeUnionFaults(errors.slice(0, maxErrors));
  const validations = faults.slice(0, maxValidations).map((error) => ({
    field: fieldOf(error),
    detail: detailOf(error),
  }));
  return invalidFields(validations);
}

function fieldOf(error: ErrorObject): string {
  const path = error.instancePath.replace(/^\//, "").replaceAll("/", ".");
  const missing: unknown = error.params["missingProperty"];
  if (typeof missing !== "string") return path === "" ? "body" : path;
  return path === "" ? missing : `${path}.${missing}`;
}

function detailOf({ keyword, params, message }: ErrorObject): string {
  if (keyword === "required") return "is required";
  const allowed: unknown = params["allowedValues"];
  if (Array.isArray(allowed)) return `must be one of ${allowed.join(", ")}`;
  if (keyword === "format") return formats[String(params["format"])] ?? "is not valid";
  const bound = bounds[keyword]?.(Number(params["limit"]));
  return bound ?? message ?? "is not valid";
}

const formats: Readonly<Record<string, string>> = {
  "date-time": "must be a time with its zone, such as 2026-07-24T05:20:02Z",
  uuid: "must be a UUID",
};

/** Messages for the keywords whose own messages shout: "must NOT have fewer than 3 characters". */
const bounds: Readonly<Record<string, (limit: number) => string>> = {
  minLength: (limit) =>
    limit === 1 ? "must not be empty" : `must have at least ${countText(limit, "character")}`,
  maxLength: (limit) => `must have at most ${countText(limit, "character")}`,
  minItems: (limit) => `must have at least ${countText(limit, "item")}`,
  maxItems: (limit) => `must have at most ${countText(limit, "item")}`,
  minProperties: (limit) => `must have at least ${countText(limit, "key")}`,
  maxProperties: (limit) => `must have at most ${countText(limit, "key")}`,
  minimum: (limit) => `must be at least ${limit}`,
  maximum: (limit) => `must be at most ${limit}`,
};

/**
 * Merges the faults of a value that matches no branch of a union: instead of one fault per branch and one for the
 * union, the result has those of the branch of the value's type, or one with the expected types.
 */
function mergeUnionFaults(errors: readonly ErrorObject[]): readonly ErrorObject[] {
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
