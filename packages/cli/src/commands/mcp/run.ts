import { once } from "node:events";

import { serveStdio, StdioServerTransport } from "@modelcontextprotocol/server/stdio";
import { createMcpServer, tools } from "@slipway/mcp";
import { abortable, errorText } from "@slipway/runtime";
import type { ApiClient } from "@slipway/sdk/http";

import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import type { Needs } from "../../command/needs.ts";
import { packageVersion } from "../../config/own-package.ts";
import type { command } from "../mcp.ts";
import { LocalPorts } from "./local-ports.ts";

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const { input, output } = terminal.raw();
  const { disableDirectConnections: disableDirect } = options;
  await using ports = new LocalPorts({ client, clock, disableDirect });
  const serverOptions = {
    version: packageVersion,
    tools,
    hasStockNames: options.stockNames,
    api: toolApi(client, ports),
    clock,
    // The server records what a call does.
    onCall: async () => undefined,
    onFault: (error: unknown, tool: string) => terminal.err.line(`${tool}: ${errorText(error)}`),
  };
  const serving = serveStdio(() => createMcpServer(serverOptions), {
    transport: new StdioServerTransport(input, output),
  });
  try {
    await abortable(once(input, "close"), signal);
  } finally {
    await serving.close();
  }
  return 0;
}

function toolApi(client: ApiClient, ports: LocalPorts) {
  return {
    call: client.call.bind(client),
    upload: client.upload.bind(client),
    download: client.download.bind(client),
    listen: ports.listen.bind(ports),
  } satisfies Pick<ApiClient, "call" | "upload" | "download"> & Pick<LocalPorts, "listen">;
}
