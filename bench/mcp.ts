import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

import { defineBenchmark } from "./benchmark.ts";
import { openBenchServers } from "./support/bench-servers.ts";

/*
 * The time of a call of a tool of the MCP server over a kept-alive connection, one at a time, by clients of both revisions of
 * the protocol: a list of workspaces, which is one statement, and the list of tools, which is none. The client shares the
 * machine, and checks the answers against their schemas.
 *
 *   npm run bench:mcp [-- --json]
 */

const calls = 500;
const warmUp = 50;

const revisions = [
  { name: "2025-11-25", mode: "legacy" },
  { name: "2026-07-28", mode: { pin: "2026-07-28" } },
] as const;

export const benchmark = defineBenchmark({
  title: "Calls of tools of the MCP server",
  measure: async ({ opened, findings }) => {
    const [server] = await openBenchServers(opened);
    if (server === undefined) throw new Error("no server was opened");
    const { headers, serverUrl } = server.client;
    for (const { name, mode } of revisions) {
      const client = new Client({ name: "bench", version: "1" }, { versionNegotiation: { mode } });
      const endpoint = new URL("/api/v2/mcp", serverUrl);
      const requestInit = { headers: { ...headers } };
      await client.connect(new StreamableHTTPClientTransport(endpoint, { requestInit }));
      opened.defer(() => client.close());
      await client.listTools();
      findings.noteTimes(
        `list_workspaces, ${name}`,
        await timesOf(() => client.callTool({ name: "list_workspaces", arguments: {} })),
      );
      findings.noteTimes(`tools/list, ${name}`, await timesOf(() => client.listTools()));
    }
  },
});

/** Returns the times of calls in milliseconds, without those of the first ones. */
async function timesOf(call: () => Promise<unknown>): Promise<readonly number[]> {
  const times: number[] = [];
  for (let index = 0; index < warmUp + calls; index += 1) {
    const began = performance.now();
    await call();
    if (index >= warmUp) times.push(performance.now() - began);
  }
  return times;
}
