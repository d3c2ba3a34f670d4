import { listAuditLogs } from "@slipway/api";

import type { Database } from "../../platform/db/database.ts";
import { readPage } from "../../platform/http/paging.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { listAuditEntries, type ReadUsers } from "./list-service.ts";
import { parseAuditSearch } from "./search.ts";

export function addAuditRoutes(routes: Routes, db: Database, readUsers: ReadUsers): void {
  routes.user(listAuditLogs, ({ query }, user) =>
    listAuditEntries({ db, readUsers }, user, parseAuditSearch(query.q ?? ""), readPage(query)),
  );
}
