import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { ConnectionLogsResponse } from "./connection-log.ts";

export const listConnectionLogs = defineRoute({
  method: "GET",
  path: "/connectionlog",
  summary: "List connections to agents, newest first",
  tag: "deployment",
  query: Type.Object({
    q: Type.Optional(Type.String({ maxLength: 1024 })),
    limit: Type.Optional(Type.String()),
    offset: Type.Optional(Type.String()),
  }),
  response: ConnectionLogsResponse,
});
