import type { AuditLog, AuditLogsResponse } from "@slipway/api/audit/audit-log";
import { listAuditLogs } from "@slipway/api/audit/routes";
import { nilUuid } from "@slipway/api/contract/nil-uuid";
import type { User } from "@slipway/api/users/user";
import { type RawBuilder, sql } from "kysely";

import { mayReadAudit } from "../../platform/auth/rights.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import { forbidden } from "../../platform/errors/errors.ts";
import { type Page, readPage } from "../../platform/fields/paging.ts";
import { searchConditions } from "../../platform/fields/search-terms.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { type AuditConditions, type AuditSearch, parseAuditSearch } from "./search.ts";

export function addAuditRoutes(routes: Routes, db: Database, readUsers: ReadUsers): void {
  routes.user(listAuditLogs, ({ query }, user) =>
    listAuditEntries({ db, readUsers }, user, parseAuditSearch(query.q ?? ""), readPage(query)),
  );
}

/** The limit of the count. */
const countCap = 2000;
/** The maximum and default number of entries per page. */
const maxPageSize = 100;

/** Reads users by their ids; provided by the users feature, which depends on this one. */
type ReadUsers = (userIds: readonly string[]) => Promise<ReadonlyMap<string, User>>;

interface AuditNeeds {
  readonly db: Queryable;
  readonly readUsers: ReadUsers;
}

/** Returns a page of the audit trail; throws `Forbidden` for callers who may not read it. */
export async function listAuditEntries(
  { db, readUsers }: AuditNeeds,
  caller: UserCaller,
  search: AuditSearch,
  { limit = maxPageSize, offset }: Page,
): Promise<AuditLogsResponse> {
  if (!mayReadAudit(caller)) throw forbidden("Only owners and auditors can read the audit trail.");
  const page = { limit: Math.min(limit, maxPageSize), offset };
  const [rows, count] = await Promise.all([
    selectAuditEntries(db, search, page),
    countAuditEntries(db, search, countCap),
  ]);
  const userIds = rows.flatMap(({ user_id }) => (user_id === null ? [] : [user_id]));
  const users = await readUsers([...new Set(userIds)]);
  const audit_logs = rows.map((row) => auditJson(row, users.get(row.user_id ?? "")));
  return { audit_logs, count, count_cap: countCap };
}

/** Returns the entry as clients see it; the server's own actions come from no request. */
function auditJson(row: AuditRow, user: User | undefined): AuditLog {
  const { resource_target: target, additional_fields: fields } = row;
  const owner = fields["workspace_owner"];
  return {
    id: row.id,
    request_id: row.request_id ?? nilUuid,
    time: row.created_at,
    ip: row.ip,
    user_agent: row.user_agent,
    resource_type: row.resource_type,
    resource_id: row.resource_id,
    resource_target: target,
    resource_icon: "",
    action: row.action,
    diff: row.diff,
    status_code: row.status_code,
    additional_fields: fields,
    description: describe(row),
    resource_link: typeof owner === "string" ? `/@${owner}/${target}` : "",
    is_deleted: row.workspace_deleted ?? false,
    organization_id: row.organization_id ?? nilUuid,
    ...(row.organization_id === null ? {} : { organization: organizationOf(row) }),
    user: user ?? null,
  };
}

/** Returns a sentence in which clients fill in the two names. Session keys have none. */
function describe(row: AuditRow): string {
  const { action, resource_type: type, status_code: status } = row;
  if (type === "workspace_agent" && action === "login") {
    return "workspace agent {target} logged in by its machine";
  }
  const [done, tried] = verbs[action];
  const verb = status < 400 ? done : `unsuccessfully attempted to ${tried}`;
  const isSession = action === "login" || action === "logout";
  const what = isSession ? "" : ` ${type.replaceAll("_", " ")} {target}`;
  return `{user} ${verb}${what}${byWhoseKey(row.additional_fields)}`;
}

/** Names another user who created the key: the actor may be either of the two. */
function byWhoseKey({ key_created_by: creator }: AuditRow["additional_fields"]): string {
  const isNamed = typeof creator === "object" && creator !== null && "username" in creator;
  return isNamed ? ` with a key made by ${String(creator.username)}` : "";
}

/** Verbs for a completed action and for an attempt. */
const verbs: Readonly<Record<AuditLog["action"], readonly [done: string, tried: string]>> = {
  create: ["created", "create"],
  write: ["updated", "update"],
  delete: ["deleted", "delete"],
  start: ["started", "start"],
  stop: ["stopped", "stop"],
  login: ["logged in", "log in"],
  logout: ["logged out", "log out"],
  register: ["registered", "register"],
  open: ["read", "read"],
  call: ["used a tool on", "use a tool on"],
  authorize: ["authorized", "authorize"],
  deny: ["denied access to", "deny access to"],
};

function organizationOf(row: AuditRow): NonNullable<AuditLog["organization"]> {
  return {
    id: row.organization_id ?? nilUuid,
    name: row.organization_name ?? "",
    display_name: row.organization_display_name ?? "",
    icon: row.organization_icon ?? "",
  };
}

function entries(db: Queryable, search: AuditSearch) {
  return db
    .selectFrom("audit_log as a")
    .leftJoin("users as u", "u.id", "a.user_id")
    .leftJoin("organizations as o", "o.id", "a.organization_id")
    .leftJoin("workspaces as w", "w.id", "a.resource_id")
    .where((eb) => eb.and(searchConditions(search, conditionsOf)));
}

function conditionsOf(search: AuditConditions): readonly RawBuilder<boolean>[] {
  const { action, resourceType, resourceId, target, username, email, buildReason } = search;
  const { from, to } = search;
  return [
    action !== undefined && sql<boolean>`a.action = ${action}`,
    resourceType !== undefined && sql<boolean>`a.resource_type = ${resourceType}`,
    resourceId !== undefined && sql<boolean>`a.resource_id = ${resourceId}`,
    target !== undefined && sql<boolean>`lower(a.resource_target) = ${target}`,
    username !== undefined && sql<boolean>`lower(u.username) = ${username}`,
    email !== undefined && sql<boolean>`lower(u.email) = ${email}`,
    buildReason !== undefined &&
      sql<boolean>`a.additional_fields ->> 'build_reason' = ${buildReason}`,
    from !== undefined && sql<boolean>`a.created_at >= ${from}`,
    to !== undefined && sql<boolean>`a.created_at <= ${to}`,
  ].filter((condition) => condition !== false);
}

/** Selects a page of the matching entries, newest first. */
function selectAuditEntries(
  db: Queryable,
  search: AuditSearch,
  page: { readonly limit: number; readonly offset: number },
) {
  return entries(db, search)
    .orderBy("a.created_at", "desc")
    .orderBy("a.id")
    .limit(page.limit)
    .offset(page.offset)
    .select([
      "a.id",
      "a.created_at",
      "a.user_id",
      "u.username",
      "a.action",
      "a.resource_type",
      "a.resource_id",
      "a.resource_target",
      "a.request_id",
      "a.ip",
      "a.user_agent",
      "a.status_code",
      sql<AuditLog["diff"]>`a.diff`.as("diff"),
      sql<AuditLog["additional_fields"]>`a.additional_fields`.as("additional_fields"),
      "w.deleted as workspace_deleted",
      "o.id as organization_id",
      "o.name as organization_name",
      "o.display_name as organization_display_name",
      "o.icon as organization_icon",
    ])
    .execute();
}

type AuditRow = Awaited<ReturnType<typeof selectAuditEntries>>[number];

/** Counts the matching entries, up to `cap`. */
async function countAuditEntries(db: Queryable, search: AuditSearch, cap: number): Promise<number> {
  const found = entries(db, search).select("a.id").limit(cap).as("found");
  const row = await db
    .selectFrom(found)
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  return row.count;
}
