import { errorText } from "@slipway/runtime";

import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import type { Needs } from "../../command/needs.ts";
import { packageVersion } from "../../config/own-package.ts";
import type { command } from "../mcp.ts";
import { loadTools } from "./load-tools.ts";
import { LocalPorts } from "./local-ports.ts";

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const { input, output } = terminal.raw();
  const { serveStdioTools } = await loadTools();
  const { disableDirectConnections: disableDirect } = options;
  await using ports = new LocalPorts({ client, clock, disableDirect });
  await serveStdioTools({
    input,
    output,
    version: packageVersion,
    hasStockNames: options.stockNames,
    api: {
      call: client.call.bind(client),
      upload: client.upload.bind(client),
      download: client.download.bind(client),
      listen: ports.listen.bind(ports),
    },
    clock,
    // The server records what a call does.
    onCall: async () => undefined,
    onFault: (error, tool) => terminal.err.line(`${tool}: ${errorText(error)}`),
    signal,
  });
  return 0;
}
