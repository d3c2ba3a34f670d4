import { Agent, createServer, request } from "node:http";

import { makeWorkspace, pushTemplate } from "@slipway/testkit";

import { defineBenchmark } from "./benchmark.ts";
import { repeat } from "./report.ts";
import { listen } from "./support/listen.ts";
import { openOurServer } from "./support/our-server.ts";

/*
 * The time to the first byte of an app that answers immediately, with one request at a time on a kept-alive
 * connection: from the app itself as the floor, and through the server and the agent of a workspace on this machine.
 *
 *   npm run bench:apps [-- --json]
 */

const runs = 3;
const requests = 200;
const bodyBytes = 1_000;

type Headers = Readonly<Record<string, string>>;

export const benchmark = defineBenchmark({
  title: "Time to the first byte of an app, median",
  measure: async ({ opened, findings }) => {
    const app = createServer((_request, response) => response.end("x".repeat(bodyBytes)));
    const appPort = await listen(app);
    opened.defer(() => void app.close());
    const environment = { SLIPWAY_WILDCARD_ACCESS_URL: "*.apps.test" };
    const { server, client } = await openOurServer(opened, environment);
    const templateId = await pushTemplate(client, "apps", templateFor(appPort));
    await makeWorkspace(client, "dev", templateId, ({ status }) => status === "connected");
    const port = Number(new URL(server.url).port);
    const decided = { Host: `web--dev--admin.apps.test:${port}`, ...client.headers };
    const first = await firstByte(port, decided, new Agent());
    const measure = async (name: string, to: number, headers: Headers): Promise<void> =>
      findings.note(name, "ms", ...(await repeat(runs, () => medianMs(to, headers))));
    await measure("the app itself", appPort, {});
    await measure("through the server", port, { ...decided, Cookie: first.cookies });
    await measure("through the server, decided each time", port, decided);
  },
});

function templateFor(appPort: number): string {
  return `
driver: process
agents:
  main:
    os: linux
    arch: amd64
    apps: { web: { url: "http://localhost:${appPort}", subdomain: true } }
`;
}

async function medianMs(port: number, headers: Headers): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  while (times.length < requests) times.push((await firstByte(port, headers, agent)).ms);
  agent.destroy();
  return times.toSorted((a, b) => a - b)[requests / 2] ?? NaN;
}

/** Resolves to the milliseconds until the response header has arrived, and to the cookies that it sets. */
function firstByte(port: number, headers: Headers, agent: Agent) {
  const { promise, resolve, reject } = Promise.withResolvers<{ ms: number; cookies: string }>();
  const beganAt = performance.now();
  const sent = request({ host: "127.0.0.1", port, headers, agent }, (response) => {
    const ms = performance.now() - beganAt;
    const { statusCode, headers: answered } = response;
    if (statusCode !== 200) reject(new Error(`answered ${statusCode}`));
    const cookies = (answered["set-cookie"] ?? [])
      .map((cookie) => cookie.split(";", 1)[0])
      .join("; ");
    response.resume().on("end", () => resolve({ ms, cookies }));
  });
  sent.on("error", reject);
  sent.end();
  return promise;
}
