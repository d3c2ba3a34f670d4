import { countText } from "@slipway/runtime";
import { Ajv, type ErrorObject } from "ajv";

import { type Invalid, invalidFields } from "../errors/errors.ts";
import { mergeUnionFaults } from "./union-faults.ts";

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
    // The schemas are ours, and a test validates them: to compile the schema of schemas takes a turn of the event loop.
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
  // The work for each union scans all faults of what may be a large body.
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

/** The validator's own messages for these keywords shout: "must NOT have fewer than 3 characters". */
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
