import type { AgentStatus } from "@slipway/api/agents/agent";
import { agentStatuses } from "@slipway/api/agents/agent";
import type { BuildStatus } from "@slipway/api/builds/build";
import { buildStatuses } from "@slipway/api/builds/build";

import { type Invalid, invalidField } from "../../platform/errors/errors.ts";
import { readSearchTerms } from "../../platform/fields/search-terms.ts";
import { readUuid } from "../../platform/fields/uuid.ts";

/** A search for workspaces; undefined fields match everything. Texts are in lower case. */
export interface WorkspaceSearch {
  /** A username, or `me`. */
  readonly owner?: string;
  /** A part of the name. */
  readonly name?: string;
  readonly template?: string;
  readonly status?: BuildStatus;
  readonly ids?: readonly string[];
  /** Any of these states of an agent. */
  readonly hasAgent?: readonly AgentStatus[];
  readonly healthy?: boolean;
  readonly dormant?: boolean;
  readonly outdated?: boolean;
  readonly favorite?: boolean;
  /** RFC 3339. */
  readonly lastUsedBefore?: string;
  readonly lastUsedAfter?: string;
  /** A name or an id. */
  readonly organization?: string;
  readonly hasExternalAgent?: boolean;
  /** Parameters of the newest build; without a value, any will do. */
  readonly params?: readonly { readonly name: string; readonly value: string | undefined }[];
  /** Workspaces that match all conditions of one of these are left out. */
  readonly exclusions?: readonly Exclusion[];
  /** Matches nothing: searches for shared workspaces or AI tasks, which do not exist here. */
  readonly nothing?: true;
}

/** The conditions that a search can exclude. */
export type Exclusion = Pick<
  WorkspaceSearch,
  "owner" | "name" | "template" | "organization" | "status"
>;

const message = "Invalid workspace search query.";

/** The part of a search that one term sets. */
type Reader = (value: string, key: string, before: WorkspaceSearch) => Partial<WorkspaceSearch>;

const readers: Readonly<Record<string, Reader>> = {
  owner: (owner) => ({ owner }),
  name: (name) => ({ name }),
  template: (template) => ({ template }),
  organization: (organization) => ({ organization }),
  status: (value, key) => ({ status: oneOf(value, key, buildStatuses) }),
  id: (value, key) => ({ ids: value.split(",").map((id) => uuidOf(id, key)) }),
  has_agent: (value, key) => ({
    hasAgent: value.split(",").map((status) => oneOf(status, key, agentStatuses)),
  }),
  healthy: (value, key) => ({ healthy: booleanOf(value, key) }),
  dormant: (value, key) => ({ dormant: booleanOf(value, key) }),
  outdated: (value, key) => ({ outdated: booleanOf(value, key) }),
  favorite: (value, key) => ({ favorite: booleanOf(value, key) }),
  last_used_before: (value, key) => ({ lastUsedBefore: timeOf(value, key) }),
  last_used_after: (value, key) => ({ lastUsedAfter: timeOf(value, key) }),
  has_external_agent: (value, key) => ({ hasExternalAgent: booleanOf(value, key) }),
  shared: (value, key) => nothingIf(booleanOf(value, key)),
  has_ai_task: (value, key) => nothingIf(booleanOf(value, key)),
  shared_with_user: () => nothingIf(true),
  shared_with_group: () => nothingIf(true),
  param: (text, _key, { params = [] }) => {
    const [name = "", value] = text.split("=", 2);
    return { params: [...params, { name, value }] };
  },
};

/** The keys that a search can exclude by a minus sign. */
const excludable: ReadonlySet<string> = new Set<keyof Exclusion>([
  "owner",
  "name",
  "template",
  "organization",
  "status",
]);

/**
 * Parses the search language of workspaces (docs/protocol/clients.md §6.1), in which terms with a minus sign exclude what
 * they match; throws `Invalid`.
 */
export function parseSearch(q: string): WorkspaceSearch {
  const search: WorkspaceSearch = {};
  const exclusions: Exclusion[] = [];
  for (const { key, value, isExcluded } of readSearchTerms(q, message)) {
    if (isExcluded) {
      exclusions.push(key === undefined ? nameTerm(value) : readExclusion(key, value));
      continue;
    }
    if (key === undefined) {
      Object.assign(search, nameTerm(value));
      continue;
    }
    const known = key.replaceAll("-", "_");
    const reader = Object.hasOwn(readers, known) ? readers[known] : undefined;
    if (reader === undefined) throw invalid(key, `"${key}" is not a valid query param`);
    Object.assign(search, reader(value, key, search));
  }
  return exclusions.length === 0 ? search : { ...search, exclusions };
}

function readExclusion(key: string, value: string): Exclusion {
  const field = `-${key}`;
  const reader = excludable.has(key) ? readers[key] : undefined;
  if (reader === undefined) throw invalid(field, `"${field}" is not a valid query param`);
  return reader(value, field, {});
}

/** Reads a bare word: a part of a name, or an owner and a part of a name. */
function nameTerm(word: string): Pick<WorkspaceSearch, "owner" | "name"> {
  const slash = word.indexOf("/");
  return slash === -1
    ? { name: word }
    : { owner: word.slice(0, slash), name: word.slice(slash + 1) };
}

function nothingIf(isAsked: boolean): Partial<WorkspaceSearch> {
  return isAsked ? { nothing: true } : {};
}

function oneOf<T extends string>(value: string, key: string, known: readonly T[]): T {
  const found = known.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  throw invalid(key, `Query param "${key}" must be one of ${known.join(", ")}, found "${value}"`);
}

function booleanOf(value: string, key: string): boolean {
  if (["true", "1", "t", "yes"].includes(value)) return true;
  if (["false", "0", "f", "no"].includes(value)) return false;
  throw invalid(key, `Query param "${key}" must be a valid boolean, found "${value}"`);
}

function uuidOf(value: string, key: string): string {
  const uuid = readUuid(value);
  if (uuid !== undefined) return uuid;
  throw invalid(key, `Query param "${key}" must be a valid UUID, found "${value}"`);
}

function timeOf(value: string, key: string): string {
  const ms = /^\d{4}-\d\d-\d\d(?:t[\d:.]+(?:z|[+-]\d\d:\d\d))?$/.test(value)
    ? Date.parse(value.toUpperCase())
    : NaN;
  if (!Number.isNaN(ms)) return new Date(ms).toISOString();
  throw invalid(key, `Query param "${key}" must be a date or an RFC 3339 time, found "${value}"`);
}

function invalid(field: string, detail: string): Invalid {
  return invalidField(field, detail, message);
}
