import type { Readable, Writable } from "node:stream";

import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { abortable, errorText } from "@slipway/runtime";

import { createMcpServer, type McpServerOptions } from "./create-mcp-server.ts";
import { PatientTransport } from "./patient-transport.ts";
import { type PortRequest, type ToolApi, ToolError } from "./tool.ts";
import { tools } from "./tools.ts";

export interface StdioToolOptions extends Omit<McpServerOptions, "tools"> {
  readonly input: Readable;
  readonly output: Writable;
  readonly signal: AbortSignal;
}

/**
 * Serves all tools to the program at the other end of two streams, until it closes them and its calls have finished. Throws
 * the signal's reason.
 */
export async function serveStdioTools({
  input,
  output,
  signal,
  ...options
}: StdioToolOptions): Promise<void> {
  const api = toolApi(options.api);
  const transport = new PatientTransport({ input, output, clock: options.clock });
  const serving = serveStdio(() => createMcpServer({ ...options, tools, api }), { transport });
  try {
    await abortable(transport.ended, signal);
  } finally {
    await serving.close();
  }
}

/** Has a port that cannot be reached be a refusal, whose reason the caller learns. */
function toolApi(api: ToolApi): ToolApi {
  const { listen } = api;
  if (listen === undefined) return api;
  return {
    call: (route, input) => api.call(route, input),
    upload: (route, input) => api.upload(route, input),
    download: (route, input) => api.download(route, input),
    listen: async (request: PortRequest, signal: AbortSignal) => {
      try {
        return await listen(request, signal);
      } catch (error) {
        signal.throwIfAborted();
        throw new ToolError(errorText(error), { cause: error });
      }
    },
  };
}
