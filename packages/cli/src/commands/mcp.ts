import { defineCommand } from "../command/definition.ts";
import { disableDirectFlag } from "../resources/network/network-flags.ts";

export const command = defineCommand({
  summary: "serve workspaces to an AI agent over stdio",
  description:
    "Run an MCP server on stdin and stdout, for a program on this machine that takes such a command: it creates, lists " +
    "and stops workspaces, runs commands and edits files in them, with the rights of your session. The same tools are at " +
    "/api/v2/mcp of the server, for programs that use HTTP.",
  arguments: {},
  flags: {
    stockNames: {
      kind: "switch",
      variable: "SLIPWAY_MCP_STOCK_NAMES",
      summary: "give the tools the names coder_... as well",
    },
    disableDirectConnections: disableDirectFlag,
  },
  examples: [
    {
      line: "slipway mcp",
      summary: "for the configuration of an agent: command slipway, argument mcp",
    },
  ],
});
