import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { getAgentLogs } from "@slipway/api/agents/log-routes";
import { getWorkspace } from "@slipway/api/workspaces/routes";
import {
  buildAgent,
  firstAgent,
  logInAsAdmin,
  makeWorkspace,
  openTestDatabase,
  pushTemplate,
  readAgentToken,
  startAgentProcess,
  startServerProcess,
  TcpProxy,
} from "@slipway/testkit";
import { expect, inject, it, onTestFinished } from "vitest";

/* An agent that ends while its server restarts. */

const template = `
driver: external
agents:
  main:
    os: linux
    arch: amd64
    scripts:
      farewell:
        run_on: [stop]
        run: |
          echo begun
          while [ -e ~/wait ]; do sleep 0.1; done
          echo ended
          touch ~/ended
`;

it(
  "has the last lines of an agent that ended while it was restarted",
  { timeout: 300_000 },
  async () => {
    await buildAgent();
    const opened = new AsyncDisposableStack();
    onTestFinished(() => opened.disposeAsync());
    const directory = await mkdtemp(join(tmpdir(), "slipway-last-"));
    opened.defer(() => rm(directory, { recursive: true, force: true }));
    const database = opened.use(await openTestDatabase(inject("postgresUrl")));
    const environment = { SLIPWAY_POSTGRES_URL: database.url };
    const dataDir = join(directory, "server");
    let server = await startServerProcess({ dataDir, port: 0, environment });
    opened.defer(() => server.end("SIGKILL"));
    const port = Number(new URL(server.url).port);
    const client = await logInAsAdmin(server.url);
    const templateId = await pushTemplate(client, "last", template);
    const { id } = await makeWorkspace(client, "dev", templateId, () => true);
    const token = await readAgentToken(client, id);
    // The restart takes as long as the machine needs; only the dials that fail at the end count.
    let refused = 0;
    let isReached = true;
    await using proxy = await TcpProxy.open(() => {
      if (isReached) return [{ port }];
      refused += 1;
      return [];
    });
    const home = join(directory, "home");
    await mkdir(home);
    await writeFile(join(home, "wait"), "");
    const agent = await startAgentProcess({ serverUrl: proxy.url, token, home });
    opened.defer(() => void agent.kill("SIGKILL"));
    const readAgent = async () =>
      firstAgent(await client.call(getWorkspace, { params: { workspace: id } }));
    const patient = { timeout: 60_000 };
    await expect.poll(async () => (await readAgent())?.lifecycle_state, patient).toBe("ready");
    const agentId = (await readAgent())?.id ?? "";
    const lines = async (): Promise<readonly string[]> =>
      (await client.call(getAgentLogs, { params: { agent: agentId } })).map(({ output }) => output);
    const exited = once(agent, "exit");
    agent.kill("SIGTERM");
    await expect.poll(lines, patient).toEqual(["begun"]);
    isReached = false;
    await server.end("SIGKILL");
    server = await startServerProcess({ dataDir, port, environment });
    await rm(join(home, "wait"));
    await expect.poll(() => existsSync(join(home, "ended")), patient).toBe(true);
    const before = refused;
    await expect.poll(() => refused, patient).toBeGreaterThan(before + 1);
    isReached = true;
    expect(await exited).toEqual([0, null]);
    expect(await lines()).toEqual(["begun", "ended"]);
  },
);
