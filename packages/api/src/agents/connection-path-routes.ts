import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { type Infer, nullable, oneOf, Uuid } from "../contract/scalars.ts";

/** The way of an open connection to an agent. */
export const ConnectionPath = Type.Object({
  /** The connection of this id in the list of connections. */
  connection_id: Uuid,
  /**
   * From client to agent `direct`ly or by a `relay`; `server` for a terminal that the server opens, whose other fields
   * describe the path between server and agent.
   */
  kind: oneOf("direct", "relay", "server"),
  /** The name of the relay's region; null for a direct path. */
  region: nullable(Type.String()),
  /** The round trip in milliseconds; null if there was no answer in time. */
  latency_ms: nullable(Type.Number()),
});
export type ConnectionPath = Infer<typeof ConnectionPath>;

export const listConnectionPaths = defineRoute({
  method: "GET",
  path: "/workspaceagents/:agent/connection-paths",
  summary: "List the paths of the open connections to an agent",
  scopes: ["workspace:read"],
  params: Type.Object({ agent: Type.String() }),
  response: Type.Object({ paths: Type.Array(ConnectionPath) }),
});
