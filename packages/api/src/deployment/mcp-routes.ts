import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";

/** The maximum size of a message to the MCP server, in bytes. */
export const maxMcpMessageBytes = 1024 * 1024;

/**
 * One message of the Model Context Protocol over streamable HTTP. Its tools need the scopes of the routes that they use; this
 * scope only lets a client list them.
 */
export const callMcp = defineRoute({
  method: "POST",
  path: "/mcp",
  summary: "Send a message to the MCP server",
  scopes: ["workspace:read"],
  tag: "deployment",
  bodyKind: "bytes",
  maxBodyBytes: maxMcpMessageBytes,
  requestsPerMinute: 1_200,
  response: Type.Unknown(),
});
