import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";

export const ListeningPorts = Type.Object({
  ports: Type.Array(
    Type.Object({
      process_name: Type.String(),
      network: Type.String(),
      port: Type.Integer(),
    }),
  ),
});

export const getListeningPorts = defineRoute({
  method: "GET",
  path: "/workspaceagents/:agent/listening-ports",
  summary: "List the ports that processes in the workspace listen on",
  scopes: ["workspace:read"],
  params: Type.Object({ agent: Type.String() }),
  response: ListeningPorts,
});
