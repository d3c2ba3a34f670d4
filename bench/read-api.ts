import { Agent, get } from "node:http";

import { getAgent } from "@slipway/api/agents/routes";
import { getWorkspace } from "@slipway/api/workspaces/routes";

import { defineBenchmark } from "./benchmark.ts";
import { repeat } from "./report.ts";
import type { BareServer } from "./support/bare-server.ts";
import { type BenchServer, openBenchServers } from "./support/bench-servers.ts";
import { openPart } from "./support/part.ts";

/*
 * The number of requests per second that read one agent or one workspace, over kept-alive connections with one
 * request at a time on each. The reference is a bare node:http that answers with as many bytes; the client shares the
 * machine.
 *
 *   npm run bench:read-api [-- --json]
 *
 * A stock server takes part when the environment names one; see support/stock-server.ts.
 */

const connectionCounts = [1, 16] as const;
const seconds = 3;
const runs = 3;

type Headers = Readonly<Record<string, string>>;

export const benchmark = defineBenchmark({
  title: "Reads, by connections",
  measure: async ({ opened, findings }) => {
    const bare = openPart<BareServer>(opened, "./bare-server.ts");
    const bareUrl = `http://127.0.0.1:${await bare.call("port")}`;
    const measure = async (name: string, url: string, headers: Headers): Promise<void> => {
      for (const connections of connectionCounts) {
        const rates = await repeat(runs, () => requestsPerSecond(url, headers, connections));
        findings.note(`${name}, ${connections}`, "requests/s", ...rates);
      }
    };
    for (const [index, server] of (await openBenchServers(opened)).entries()) {
      const { headers } = server.client;
      for (const { what, url } of await addresses(server)) {
        const bytes = await read(url, headers, new Agent());
        if (index === 0) await measure(`bare, ${bytes} bytes`, `${bareUrl}/${bytes}`, {});
        await measure(`${server.name}, ${what}`, url, headers);
      }
    }
  },
});

/** Creates an agent; resolves to the URLs to read. */
async function addresses({ client, makeAgents }: BenchServer) {
  const [made] = await makeAgents(1);
  if (made === undefined) throw new Error("no agent was created");
  const { id: agent, workspaceId: workspace } = made;
  return [
    { what: "agent", url: client.url(getAgent, { params: { agent } }) },
    { what: "workspace", url: client.url(getWorkspace, { params: { workspace } }) },
  ] as const;
}

async function requestsPerSecond(url: string, headers: Headers, connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const started = performance.now();
  const ends = started + seconds * 1000;
  let count = 0;
  const ask = async (): Promise<void> => {
    while (performance.now() < ends) {
      await read(url, headers, agent);
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, ask));
  const rate = (count * 1000) / (performance.now() - started);
  agent.destroy();
  return rate;
}

/** Makes one request; resolves to the bytes of its body. Throws for any status but 200. */
function read(url: string, headers: Headers, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = get(url, { headers, agent }, (response) => {
      let bytes = 0;
      response.on("data", (chunk: Buffer) => (bytes += chunk.length));
      response.on("end", () =>
        response.statusCode === 200
          ? resolve(bytes)
          : reject(new Error(`${url} answered ${response.statusCode}`)),
      );
    });
    request.on("error", reject);
  });
}
