import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { AuditLogsResponse } from "./audit-log.ts";

export const listAuditLogs = defineRoute({
  method: "GET",
  path: "/audit",
  summary: "List audit log entries, newest first",
  query: Type.Object({
    q: Type.Optional(Type.String({ maxLength: 1024 })),
    limit: Type.Optional(Type.String()),
    offset: Type.Optional(Type.String()),
  }),
  response: AuditLogsResponse,
});
