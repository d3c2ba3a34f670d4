import type { ConnectionStatus, ConnectionType } from "@slipway/api/agents/connection-log-routes";
import { connectionStatuses, connectionTypes } from "@slipway/api/agents/connection-log-routes";

import {
  gatherSearch,
  readSearchTerms,
  type Search,
  termValues,
} from "../../../platform/fields/search-terms.ts";

/** A search for connections. Texts are in lower case. */
export type ConnectionSearch = Search<ConnectionConditions>;

/** Conditions of connections; undefined fields match everything. */
export interface ConnectionConditions {
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

type Reader = (value: string, key: string) => ConnectionConditions;

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

/**
 * Parses the search language of connections, in which a bare word is the name of a workspace, and terms with a minus
 * sign exclude what they match. Throws `Invalid`.
 */
export function parseConnectionSearch(q: string): ConnectionSearch {
  const terms = readSearchTerms(q, message);
  return gatherSearch<ConnectionConditions>({}, terms, ({ key = "workspace", value }) => {
    const reader = readers.get(key.replaceAll("-", "_"));
    if (reader === undefined) throw values.invalid(key, `"${key}" is not a valid query param`);
    return reader(value, key);
  });
}

/** Returns a search in which `me` is this user. */
export function searchOf(search: ConnectionSearch, userId: string): ConnectionSearch {
  const { exclusions = [], ...conditions } = search;
  return {
    ...conditionsFor(conditions, userId),
    exclusions: exclusions.map((one) => conditionsFor(one, userId)),
  };
}

function conditionsFor(conditions: ConnectionConditions, userId: string): ConnectionConditions {
  return {
    ...conditions,
    ...(conditions.owner === "me" ? { owner: undefined, ownerId: userId } : {}),
    ...(conditions.username === "me" ? { username: undefined, userId } : {}),
  };
}

function timeOf(value: string, key: string): string {
  const isTime = /^\d{4}-\d\d-\d\d(?:t[\d:.]+(?:z|[+-]\d\d:\d\d))?$/.test(value);
  const ms = isTime ? Date.parse(value.toUpperCase()) : Number.NaN;
  if (!Number.isNaN(ms)) return new Date(ms).toISOString();
  throw values.invalid(key, `must be a date or an RFC 3339 time, found "${value}"`);
}
