import { mkdtemp, rm } from "node:fs/promises";
import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { logInAsAdmin, makeWorkspace, pushTemplate, startServerProcess } from "@slipway/testkit";

import { type Measurement, printReport, repeat } from "./report.ts";

/*
 * The time to the first byte of an app that answers at once, by one request at a time on a connection that is kept: from the
 * app itself as the floor, and through the server and the agent of a workspace on this machine.
 *
 *   npm run bench:apps [-- --json]
 */

const runs = 3;
const requests = 200;
const bodyBytes = 1_000;

type Headers = Readonly<Record<string, string>>;

/** Resolves to the milliseconds until the header of an answer has come, and to the cookies that it sets. */
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

async function medianMs(port: number, headers: Headers): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  while (times.length < requests) times.push((await firstByte(port, headers, agent)).ms);
  agent.destroy();
  return times.toSorted((a, b) => a - b)[requests / 2] ?? NaN;
}

await using opened = new AsyncDisposableStack();
const app = createServer((_request, response) => response.end("x".repeat(bodyBytes)));
await new Promise<void>((resolve) => app.listen(0, "127.0.0.1", resolve));
opened.defer(() => void app.close());
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
const { port: appPort } = app.address() as AddressInfo;
const dataDir = await mkdtemp(join(tmpdir(), "slipway-bench-"));
opened.defer(() => rm(dataDir, { recursive: true, force: true }));
const environment = { SLIPWAY_WILDCARD_ACCESS_URL: "*.apps.test" };
const server = opened.use(await startServerProcess({ dataDir, port: 0, environment }));
const client = await logInAsAdmin(server.url);
const template = `
driver: process
agents:
  main:
    os: linux
    arch: amd64
    apps: { web: { url: "http://localhost:${appPort}", subdomain: true } }
`;
const templateId = await pushTemplate(client, "apps", template);
await makeWorkspace(client, "dev", templateId, ({ status }) => status === "connected");
const port = Number(new URL(server.url).port);
const decided = { Host: `web--dev--admin.apps.test:${port}`, ...client.headers };
const first = await firstByte(port, decided, new Agent());
const remembered = { ...decided, Cookie: first.cookies };
const measurements: Measurement[] = [
  { name: "the app itself", unit: "ms", runs: await repeat(runs, () => medianMs(appPort, {})) },
  {
    name: "through the server",
    unit: "ms",
    runs: await repeat(runs, () => medianMs(port, remembered)),
  },
  {
    name: "through the server, decided anew each time",
    unit: "ms",
    runs: await repeat(runs, () => medianMs(port, decided)),
  },
];
printReport("Time to the first byte of an app, median", measurements);
