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
  summary: "List the ports on which programs beside an agent listen",
  scopes: ["workspace:read"],
  params: Type.Object({ agent: Type.String() }),
  response: ListeningPorts,
});
