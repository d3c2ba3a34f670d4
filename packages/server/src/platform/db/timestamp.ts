import { type RawBuilder, sql } from "kysely";

/**
 * Formats a `timestamptz` for the API: RFC 3339 in UTC, at most microseconds, without trailing zeros
 * (docs/protocol/rest.md, preamble). Connections run in UTC, so the text is `2026-07-24 05:20:02.5+00`.
 */
export function readTimestamp(text: string): string {
  return `${text.slice(0, 10)}T${text.slice(11, text.lastIndexOf("+"))}Z`;
}

/**
 * Formats a column the same way inside JSON, which our own type parsers do not see; from the text of the column, because
 * `to_char` takes twice as long.
 */
export function apiTimestamp<T extends string | null = string>(column: string): RawBuilder<T> {
  return sql`replace(left(${sql.ref(column)}::text, -3), ' ', 'T') || 'Z'`;
}

/** Converts a formatted timestamp to milliseconds since the epoch; undefined for a column that is null. */
export function timestampMs(timestamp: string): number;
export function timestampMs(timestamp: string | null): number | undefined;
export function timestampMs(timestamp: string | null): number | undefined {
  return timestamp === null ? undefined : Date.parse(timestamp);
}

/** Formats a time in milliseconds since the epoch. */
export function timestampFromMs(ms: number): string {
  return new Date(ms).toISOString().replace(/\.?0*Z$/, "Z");
}
