import { once } from "node:events";
import { type ClientRequest, get, type IncomingMessage } from "node:http";

import { createUser, getUser } from "@slipway/api/users/routes";
import { createWorkspace, reportWorkspaceUsage } from "@slipway/api/workspaces/routes";
import { watchWorkspace } from "@slipway/api/workspaces/watch-routes";
import type { ApiClient } from "@slipway/sdk/http";
import { logIn, pushTemplate, waitForWorkspace } from "@slipway/testkit";

import { defineBenchmark } from "./benchmark.ts";
import { openOurServer } from "./support/our-server.ts";
import { beginAtRate } from "./support/pacing.ts";

/*
 * The cost to others of a member who watches one workspace many times: the time of another member's request, without
 * watchers and with them, while the workspace changes ten times per second.
 *
 *   npm run bench:watchers [-- --watchers=200] [--seconds=10] [--json]
 */

const changesPerSecond = 10;
const requestsPerSecond = 10;
const password = "correct-horse-battery-42";
const template = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";

export const benchmark = defineBenchmark({
  title: "Requests of another member",
  options: { watchers: 200, seconds: 10 },
  measure: async ({ options: { watchers, seconds }, opened, findings }) => {
    const { client: admin } = await openOurServer(opened, {
      SLIPWAY_MAX_STREAMS_PER_USER: "2000",
      SLIPWAY_MAX_WATCHES_PER_USER: "2000",
    });
    const templateId = await pushTemplate(admin, "bench", template);
    const watcher = await addMember(admin, "watcher");
    const other = await addMember(admin, "other");
    const { id: workspace } = await watcher.call(createWorkspace, {
      params: { user: "me" },
      body: { name: "watched", template_id: templateId },
    });
    await waitForWorkspace(watcher, workspace, (one) => one.latest_build.status === "running");

    /** Times the requests of the other member while the workspace changes. */
    const measure = async (): Promise<readonly number[]> => {
      const changing = beginAtRate(changesPerSecond, changesPerSecond * seconds, () =>
        watcher.call(reportWorkspaceUsage, { params: { workspace }, body: {} }),
      );
      const times = await beginAtRate(requestsPerSecond, requestsPerSecond * seconds, async () => {
        const startedAt = performance.now();
        await other.call(getUser, { params: { user: "me" } });
        return performance.now() - startedAt;
      });
      await changing;
      return times;
    };
    // Warms up.
    await measure();
    findings.noteTimes("no watcher", await measure(), ["ms", "ms"]);
    for (let count = 0; count < watchers; count += 1) {
      const watching = await openWatch(watcher, workspace);
      opened.defer(() => void watching.destroy());
    }
    findings.noteTimes(`${watchers} watchers`, await measure(), ["ms", "ms"]);
  },
});

async function addMember(admin: ApiClient, username: string): Promise<ApiClient> {
  const email = `${username}@example.com`;
  await admin.call(createUser, { body: { username, email, password } });
  return logIn(admin.serverUrl, { email, password });
}

/** Opens a stream of events whose bytes are read and dropped. */
async function openWatch(watcher: ApiClient, workspace: string): Promise<ClientRequest> {
  const url = watcher.url(watchWorkspace, { params: { workspace } });
  const request = get(url, { headers: watcher.headers });
  const [response]: IncomingMessage[] = await once(request, "response");
  if (response?.statusCode !== 200) throw new Error(`watch answered ${response?.statusCode}`);
  response.on("error", () => undefined).resume();
  request.on("error", () => undefined);
  return request;
}
