import type { ConnectionStatus, ConnectionType } from "@slipway/api/agents/connection-log-routes";
import { connectionStatuses, connectionTypes } from "@slipway/api/agents/connection-log-routes";

import { readSearchTerms, termValues } from "../../../platform/fields/search-terms.ts";

/** A search for connections; undefined fields match everything. Texts are in lower case. */
export interface ConnectionSearch {
  readonly type?: ConnectionType;
  readonly status?: ConnectionStatus;
  /** The name of the workspace. */
  readonly workspace?: string;
  readonly workspaceId?: string;
  readonly connectionId?: string;
  /** The username of the workspace's owner, or `me`. */
  readonly owner?: string | undefined;
  readonly ownerId?: string;
  readonly ownerEmail?: string;
  /** The username of the user who connected, or `me`. */
  readonly username?: string | undefined;
  readonly userId?: string;
  readonly userEmail?: string;
  /** A name or an id. */
  readonly organization?: string;
  /** RFC 3339, both inclusive. */
  readonly after?: string;
  readonly before?: string;
}

const message = "Invalid connection search query.";
const values = termValues(message);

type Reader = (value: string, key: string) => ConnectionSearch;

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["type", (value, key) => ({ type: values.oneOf(value, key, connectionTypes) })],
  ["status", (value, key) => ({ status: values.oneOf(value, key, connectionStatuses) })],
  ["workspace", (workspace) => ({ workspace })],
  ["workspace_id", (value, key) => ({ workspaceId: values.uuid(value, key) })],
  ["connection_id", (value, key) => ({ connectionId: values.uuid(value, key) })],
  ["workspace_owner", (owner) => ({ owner })],
  ["workspace_owner_email", (ownerEmail) => ({ ownerEmail })],
  ["username", (username) => ({ username })],
  ["user_email", (userEmail) => ({ userEmail })],
  ["organization", (organization) => ({ organization })],
  ["connected_after", (value, key) => ({ after: timeOf(value, key) })],
  ["connected_before", (value, key) => ({ before: timeOf(value, key) })],
]);

/** Parses the search language of connections; a bare word is the name of a workspace. Throws `Invalid`. */
export function parseConnectionSearch(q: string): ConnectionSearch {
  const search: ConnectionSearch = {};
  for (const { key = "workspace", value } of readSearchTerms(q, message)) {
    const reader = readers.get(key.replaceAll("-", "_"));
    if (reader === undefined) throw values.invalid(key, `"${key}" is not a valid query param`);
    Object.assign(search, reader(value, key));
  }
  return search;
}

function timeOf(value: string, key: string): string {
  const isTime = /^\d{4}-\d\d-\d\d(?:t[\d:.]+(?:z|[+-]\d\d:\d\d))?$/.test(value);
  const ms = isTime ? Date.parse(value.toUpperCase()) : Number.NaN;
  if (!Number.isNaN(ms)) return new Date(ms).toISOString();
  throw values.invalid(key, `must be a date or an RFC 3339 time, found "${value}"`);
}
