import { invalidField } from "../errors/errors.ts";

/** A part of a list; `limit` is undefined for all the rest. */
export interface Page {
  readonly limit: number | undefined;
  readonly offset: number;
}

/** Reads `limit` and `offset` of a query; a limit of 0 means none (docs/protocol/clients.md §6.1). */
export function readPage(query: {
  readonly limit?: string | undefined;
  readonly offset?: string | undefined;
}): Page {
  const limit = readCount("limit", query.limit);
  return { limit: limit === 0 ? undefined : limit, offset: readCount("offset", query.offset) };
}

function readCount(field: string, text: string | undefined): number {
  if (text === undefined || text === "") return 0;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw invalidField(field, `must be an integer from 0 to 999999999, found "${text}"`);
}

const defaultListLimit = 50;
/** The maximum number of entries of a list without an offset, such as that of jobs. */
export const maxListLimit = 1_000;

/** Reads the `limit` of a list without an offset; 0 means the default. */
export function readListLimit(text = ""): number {
  if (text === "" || text === "0") return defaultListLimit;
  if (/^\d{1,6}$/.test(text)) return Math.min(Number(text), maxListLimit);
  throw invalidField("limit", `must be an integer from 0 to ${maxListLimit}, found "${text}"`);
}

/** Splits the comma-separated values of a query field. */
export function splitList(text = ""): readonly string[] {
  return text.split(",").filter((part) => part !== "");
}
