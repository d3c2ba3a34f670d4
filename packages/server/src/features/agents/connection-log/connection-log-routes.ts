import { listConnectionLogs } from "@slipway/api";

import type { Queryable } from "../../../platform/db/database.ts";
import { readPage } from "../../../platform/http/paging.ts";
import type { Routes } from "../../../platform/http/routes.ts";
import { listConnections } from "./list-service.ts";
import { parseConnectionSearch } from "./search.ts";

export function addConnectionLogRoutes(routes: Routes, db: Queryable): void {
  routes.user(listConnectionLogs, ({ query }, user) =>
    listConnections(db, user, parseConnectionSearch(query.q ?? ""), readPage(query)),
  );
}
