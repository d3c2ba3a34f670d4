import { nilUuid } from "@slipway/api/contract/nil-uuid";

import { Invalid } from "../errors/errors.ts";

const dashed = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const lengths: ReadonlySet<number> = new Set([32, 36, 38, 45]);

/**
 * Parses a UUID in any of the forms of docs/protocol/rest.md §1.4 into its lower-case dashed form; undefined for
 * anything else.
 */
export function readUuid(text: string): string | undefined {
  const bare = text
    .toLowerCase()
    .replace(/^urn:uuid:/, "")
    .replace(/^\{(.*)\}$/, "$1");
  if (dashed.test(bare)) return bare;
  if (!/^[0-9a-f]{32}$/.test(bare)) return undefined;
  return bare.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Parses a UUID in a path; throws the `Invalid` of docs/protocol/rest.md §1.5. */
export function requireUuid(text: string): string {
  const uuid = readUuid(text);
  if (uuid !== undefined) return uuid;
  const detail = lengths.has(text.length)
    ? "invalid UUID format"
    : `invalid UUID length: ${text.length}`;
  throw new Invalid(`Invalid UUID "${text}".`, { detail });
}

/** Parses an optional UUID in a body; absent, empty and nil are the same (docs/protocol/clients.md §0.3). */
export function optionalUuid(text: string | undefined): string | undefined {
  const uuid = text === undefined ? undefined : readUuid(text);
  return uuid === nilUuid ? undefined : uuid;
}
