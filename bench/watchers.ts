import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type ClientRequest, get, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createUser, getUser } from "@slipway/api/users/routes";
import { createWorkspace, reportWorkspaceUsage } from "@slipway/api/workspaces/routes";
import { watchWorkspace } from "@slipway/api/workspaces/watch-routes";
import type { ApiClient } from "@slipway/sdk/http";
import {
  logIn,
  logInAsAdmin,
  pushTemplate,
  startServerProcess,
  waitForWorkspace,
} from "@slipway/testkit";

import { type Measurement, printReport } from "./report.ts";
import { beginAtRate } from "./support/at-rate.ts";
import { quantile } from "./support/quantile.ts";

/*
 * The cost to others of a member who watches one workspace many times over: the time that another member's request
 * takes, without watchers and with them, while the workspace changes ten times a second.
 *
 *   npm run bench:watchers [-- --watchers=200] [--seconds=10] [--json]
 */

function option(name: string, otherwise: number): number {
  return Number(new RegExp(`--${name}=(\\d+)`).exec(process.argv.join(" "))?.[1] ?? otherwise);
}

const watchers = option("watchers", 200);
const seconds = option("seconds", 10);
const changesPerSecond = 10;
const requestsPerSecond = 10;
const password = "correct-horse-battery-42";
const template = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";

const dataDir = await mkdtemp(join(tmpdir(), "slipway-bench-"));
await using opened = new AsyncDisposableStack();
opened.defer(() => rm(dataDir, { recursive: true, force: true }));
const server = opened.use(
  await startServerProcess({
    dataDir,
    port: 0,
    environment: {
      SLIPWAY_MAX_STREAMS_PER_USER: "2000",
      SLIPWAY_MAX_WATCHES_PER_USER: "2000",
    },
  }),
);
const admin = await logInAsAdmin(server.url);
const templateId = await pushTemplate(admin, "bench", template);
const watcher = await addMember("watcher");
const other = await addMember("other");
const { id } = await watcher.call(createWorkspace, {
  params: { user: "me" },
  body: { name: "watched", template_id: templateId },
});
await waitForWorkspace(watcher, id, (one) => one.latest_build.status === "running");

await measure("warm-up");
const measurements = await measure("no watcher");
const open: ClientRequest[] = [];
opened.defer(() => open.forEach((request) => request.destroy()));
for (let count = 0; count < watchers; count += 1) open.push(await openWatch());
measurements.push(...(await measure(`${watchers} watchers`)));
printReport("Requests of another member", measurements);

async function addMember(username: string): Promise<ApiClient> {
  const email = `${username}@example.com`;
  await admin.call(createUser, { body: { username, email, password } });
  return logIn(server.url, { email, password });
}

/** Measures the requests of the other member while the workspace changes. */
async function measure(name: string): Promise<Measurement[]> {
  const changing = beginAtRate(changesPerSecond, changesPerSecond * seconds, () =>
    watcher.call(reportWorkspaceUsage, { params: { workspace: id }, body: {} }),
  );
  const times = await beginAtRate(requestsPerSecond, requestsPerSecond * seconds, async () => {
    const startedAt = performance.now();
    await other.call(getUser, { params: { user: "me" } });
    return performance.now() - startedAt;
  });
  await changing;
  return [0.5, 0.99].map((share) => ({
    name: `${name}, p${share * 100}`,
    unit: "ms",
    runs: [quantile(times, share)],
  }));
}

/** Opens a stream of events whose bytes are read and dropped. */
async function openWatch(): Promise<ClientRequest> {
  const url = watcher.url(watchWorkspace, { params: { workspace: id } });
  const request = get(url, { headers: watcher.headers });
  const [response]: IncomingMessage[] = await once(request, "response");
  if (response?.statusCode !== 200) throw new Error(`watching answered ${response?.statusCode}`);
  response.on("error", () => undefined).resume();
  request.on("error", () => undefined);
  return request;
}
