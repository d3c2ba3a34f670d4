import { listAuditLogs } from "@slipway/api";

import type { Database } from "../db/database.ts";
import { readPage } from "../http/paging.ts";
import type { Routes } from "../http/routes.ts";
import { listAuditEntries, type ReadUsers } from "./list-service.ts";
import { parseAuditSearch } from "./search.ts";

export function addAuditRoutes(routes: Routes, db: Database, readUsers: ReadUsers): void {
  routes.user(listAuditLogs, ({ query }, user) =>
    listAuditEntries({ db, readUsers }, user, parseAuditSearch(query.q ?? ""), readPage(query)),
  );
}
