import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { getListeningPorts } from "@slipway/api/agents/listening-port-routes";
import { updatePrebuildsSettings } from "@slipway/api/prebuilds/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { getWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { agentEnvironment, agentProgram, firstAgent } from "@slipway/testkit";
import { type Clouds, openClouds, openMachine } from "@slipway/testkit/clouds";
import { afterAll, beforeAll, expect, inject, it, vi } from "vitest";

import { machineTemplate } from "./support/machines.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson, type Client } from "./support/people.ts";
import { claim, listPrebuilds, pushPoolOf, type TestPool } from "./support/pool.ts";

/* Agents that start without a token, in separate processes on instances of three clouds. */

const opened = new AsyncDisposableStack();
let clouds: Clouds;
let server: OpenServer;
let ann: Client;

interface Waiting {
  readonly pool: TestPool;
  readonly prebuild: Workspace;
}

const names = ["aws", "azure", "google"] as const;
const waiting = new Map<string, Waiting>();

function requireWaiting(cloud: string): Waiting {
  const found = waiting.get(cloud);
  if (found === undefined) throw new Error(`nothing waits for ${cloud}`);
  return found;
}

const instanceOf = (cloud: string): string => `machine-of-${cloud}`;

beforeAll(async () => {
  clouds = opened.use(await openClouds());
  server = opened.use(await openServer(inject("postgresUrl"), clouds.environment));
  ({ client: ann } = await addPerson(server, "ann"));
  for (const cloud of names) {
    const presets = `presets: { ready: { parameters: { instance: ${instanceOf(cloud)} }, prebuilds: { instances: 1 } } }`;
    const template = machineTemplate(`${cloud}-instance-identity`, ["main"], presets);
    const pool = await pushPoolOf(server, cloud, `${template}${scripts}`);
    waiting.set(cloud, { pool, prebuild: await findPrebuild(pool.template.id) });
  }
  // The next prebuild would name the same instance, and get it while the claimed workspace is stopped.
  const body = { reconciliation_paused: true };
  await server.admin.call(updatePrebuildsSettings, { body });
});

afterAll(() => opened.disposeAsync());

const patience = { timeout: 30_000, interval: 100 } as const;
/** The agent polls less and less often while its workspace is stopped. */
const longPatience = { ...patience, timeout: 120_000 };

it.concurrent.each(names)(
  "an agent on a machine of %s is claimed, starts over once, and follows to the next build",
  { timeout: 240_000 },
  async (cloud) => {
    const { pool, prebuild } = requireWaiting(cloud);
    await using machine = await openMachine(clouds, cloud, instanceOf(cloud));
    await using agent = await runAgent(machine.environment);
    await becomes(server.admin, prebuild, { status: "connected", lifecycle_state: "ready" });
    const claimed = await claim(ann, cloud, pool);
    expect(claimed.id).toBe(prebuild.id);
    await becomes(ann, claimed, { status: "connected", lifecycle_state: "ready" });
    expect(await agent.lines()).toEqual(["start prebuilds", "start ann"]);
    const asked = machine.asked();
    // The agents of the next build have new tokens; the process's token is then invalid.
    for (const transition of ["stop", "start"] as const) {
      const params = { workspace: claimed.id };
      await ann.call(createBuild, { params, body: { transition } });
      await vi.waitFor(async () => {
        const { latest_build: build } = await ann.call(getWorkspace, { params });
        expect(build.job.status).toBe("succeeded");
      }, patience);
    }
    await becomes(ann, claimed, { status: "connected" }, longPatience);
    expect(machine.asked()).toBeGreaterThan(asked);
    // It is in the network at the new agent's address.
    const now = await ann.call(getWorkspace, { params: { workspace: claimed.id } });
    const params = { agent: firstAgent(now)?.id ?? "" };
    await vi.waitFor(() => ann.call(getListeningPorts, { params }), patience);
  },
);

/** The agent writes a line that names its workspace's owner. */
const scripts = `    scripts:
      hello: { run_on: [start], run: 'echo "start \${{ owner.username }}" >> ~/lines' }
`;

async function findPrebuild(templateId: string): Promise<Workspace> {
  return vi.waitFor(async () => {
    const prebuilds = await listPrebuilds(server.admin);
    const found = prebuilds.find(({ template_id: id }) => id === templateId);
    if (found?.latest_build.status !== "running") throw new Error("nothing waits");
    return found;
  }, patience);
}

async function becomes(
  client: Client,
  { id }: Workspace,
  wanted: Partial<WorkspaceAgent>,
  howLong: typeof patience | typeof longPatience = patience,
): Promise<void> {
  await vi.waitFor(async () => {
    const now = await client.call(getWorkspace, { params: { workspace: id } });
    expect(firstAgent(now)).toMatchObject(wanted);
  }, howLong);
}

interface RunningAgent extends AsyncDisposable {
  readonly lines: () => Promise<readonly string[]>;
}

async function runAgent(environment: Readonly<Record<string, string>>): Promise<RunningAgent> {
  const home = await mkdtemp(join(tmpdir(), "slipway-machine-"));
  const child: ChildProcess = spawn(process.execPath, [agentProgram], {
    cwd: home,
    stdio: "ignore",
    env: agentEnvironment({ serverUrl: server.url, token: undefined, home, environment }),
  });
  return {
    lines: async () =>
      (await readFile(join(home, "lines"), "utf8")).split("\n").filter((line) => line !== ""),
    [Symbol.asyncDispose]: async () => {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
      await rm(home, { recursive: true, force: true });
    },
  };
}
