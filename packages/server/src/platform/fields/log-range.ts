import { invalidField } from "../errors/errors.ts";

/** A range of log entries: ids greater than `after` and, if set, smaller than `before`. */
export interface LogRange {
  readonly after: number;
  readonly before: number | undefined;
}

/** The query parameters of a range, as raw texts. */
interface LogRangeQuery {
  readonly after?: string;
  readonly before?: string;
}

/**
 * Reads `after` and `before`; an empty value counts as absent. Throws the `Invalid` of docs/protocol/rest.md §6.2,
 * which names the parameter.
 */
export function readLogRange({ after, before }: LogRangeQuery): LogRange {
  return { after: readId("after", after) ?? 0, before: readId("before", before) };
}

function readId(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  const wanted = "an integer greater than or equal to zero";
  throw invalidField(name, `Must be ${wanted}`, `Query param "${name}" must be ${wanted}.`);
}
