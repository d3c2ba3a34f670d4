import type { ChildProcess } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { getTemplate } from "@slipway/api/templates/routes";
import { listTemplateVersionPresets } from "@slipway/api/templates/version-routes";
import { createUser } from "@slipway/api/users/routes";
import { createWorkspace, listWorkspaces } from "@slipway/api/workspaces/routes";
import { silentLogger, systemClock } from "@slipway/runtime";
import type { ApiClient } from "@slipway/sdk/http";
import { connectWorkspace, type WorkspaceConnection } from "@slipway/sdk/workspace";
import type { TcpStream } from "@slipway/tailnet/stack/tcp-stream";
import {
  firstAgent,
  logIn,
  logInAsAdmin,
  pushTemplate,
  readAgentToken,
  requireAgent,
  type ServerProcess,
  startAgentProcess,
  startServerProcess,
  waitForWorkspace,
} from "@slipway/testkit";
import { afterAll, beforeAll, expect, it, vi } from "vitest";

import { openEchoService } from "./support/echo-service.ts";

/*
 * The relay serves clients whose keys peers have published, and limits strangers to 64 KiB per second for 30 seconds.
 * Peers get new keys with each process and new ids with each claim, neither of which may turn them into strangers. Each test
 * goes on from the last, and can be repeated.
 */

const template = `
driver: external
presets:
  ready: { prebuilds: { instances: 1 } }
agents:
  main: { os: linux, arch: amd64 }
`;
/** The bulk of a transfer, which would take a stranger two and a half minutes. */
const bulkBytes = 10_000_000;
const bulkMs = 60_000;
const person = { username: "ann", email: "ann@example.com", password: "correct-horse-battery-42" };

const opened = new AsyncDisposableStack();
let directory = "";
let server: ServerProcess;
let agent: ChildProcess | undefined;
let agentToken = "";
let workspaceId = "";
/** The owner of the workspace; while it waits in the pool, the administrator. */
let owner: ApiClient;
let echoPort = 0;
let claims = 0;
let claim = { template_id: "", template_version_preset_id: "" };

const startAgent = (): Promise<ChildProcess> =>
  startAgentProcess({ serverUrl: server.url, token: agentToken, home: join(directory, "agent") });

/** Starts the agent of a prebuild that waits for its owner. */
async function openPrebuild(): Promise<void> {
  await endAgent();
  const admin = await logInAsAdmin(server.url);
  workspaceId = await waitForPrebuild(admin);
  owner = admin;
  agentToken = await readAgentToken(owner, workspaceId);
  agent = await startAgent();
  await waitForAgent(({ lifecycle_state: state }) => state === "ready");
}

async function endAgent(): Promise<void> {
  if (agent === undefined || agent.exitCode !== null || agent.signalCode !== null) return;
  agent.kill("SIGKILL");
  await once(agent, "exit");
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-standing-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  server = await startServerProcess({ dataDir: directory, port: 0 });
  opened.defer(() => server.end("SIGINT"));
  echoPort = opened.use(await openEchoService()).port;
  owner = await logInAsAdmin(server.url);
  const templateId = await pushTemplate(owner, "pool", template);
  opened.defer(endAgent);
  await openPrebuild();
  await owner.call(createUser, { body: person });
  const { active_version_id: version } = await owner.call(getTemplate, {
    params: { template: templateId },
  });
  const [preset] = await owner.call(listTemplateVersionPresets, { params: { version } });
  claim = { ...claim, template_id: templateId, template_version_preset_id: preset?.ID ?? "" };
});

afterAll(() => opened.disposeAsync());

/** Waits until the prebuild to claim is running. */
function waitForPrebuild(admin: ApiClient): Promise<string> {
  return vi.waitFor(
    async () => {
      const query = { q: "owner:prebuilds" };
      const { workspaces } = await admin.call(listWorkspaces, { query });
      const waiting = workspaces.find(({ latest_build: { status } }) => status === "running");
      if (waiting === undefined) throw new Error("no workspace waits for its owner");
      return waiting.id;
    },
    { timeout: 60_000, interval: 100 },
  );
}

/** Waits until the agent of the workspace is connected and accepted by `isGood`. */
async function waitForAgent(isGood: (agent: WorkspaceAgent) => boolean): Promise<WorkspaceAgent> {
  const workspace = await waitForWorkspace(owner, workspaceId, (one) => {
    const shown = firstAgent(one);
    return shown?.status === "connected" && isGood(shown);
  });
  return requireAgent(workspace);
}

async function connect(): Promise<WorkspaceConnection> {
  const { id: agentId } = await waitForAgent(() => true);
  const options = { client: owner, agentId, clock: systemClock, logger: silentLogger };
  const signal = AbortSignal.timeout(bulkMs);
  const connection = await connectWorkspace({ ...options, disableDirect: true, signal });
  opened.defer(() => connection.close());
  return connection;
}

async function hashOf(stream: TcpStream, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for (let part = await stream.read(signal); part; part = await stream.read(signal)) {
    hash.update(part);
  }
  return hash.digest("hex");
}

/** Waits until the workspace is reachable again. */
async function untilReached(connection: WorkspaceConnection): Promise<void> {
  const dial = async (): Promise<void> => {
    (await connection.dial(echoPort, AbortSignal.timeout(2_000))).abort();
  };
  await vi.waitFor(dial, { timeout: 60_000, interval: 100 });
}

/** Transfers bulk data to the workspace and back, faster than any stranger may. */
async function expectBulk(connection: WorkspaceConnection): Promise<void> {
  const signal = AbortSignal.timeout(bulkMs);
  const bytes = randomBytes(bulkBytes);
  const stream = await connection.dial(echoPort, signal);
  const echoed = hashOf(stream, signal);
  await stream.write(bytes, signal);
  stream.finish();
  expect(await echoed).toBe(createHash("sha256").update(bytes).digest("hex"));
  expect(connection.path?.kind).toBe("relay");
}

async function readMetric(name: string): Promise<number | undefined> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const line = text.split("\n").find((one) => one.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.split(" ")[1]);
}

const closedStrangers = `slipway_relay_closed_connections_total{reason="stranger"}`;
/** The number of them at the last look, since the start of the server. */
let lastClosed: number | undefined = 0;

/**
 * Expects that no connection is a stranger's, so that the relay closes none after 30 seconds, and that it has closed
 * none.
 */
async function expectNoStranger(): Promise<void> {
  const strangers = () => readMetric("slipway_relay_strangers");
  await expect.poll(strangers, { timeout: 20_000 }).toBe(0);
  const before = lastClosed;
  lastClosed = await readMetric(closedStrangers);
  expect(lastClosed).toBe(before);
}

it("carries bulk of a workspace that waits for its owner", async () => {
  await expectBulk(await connect());
  await expectNoStranger();
});

it("carries bulk after a claim, which re-initializes the agent", async () => {
  claims += 1;
  // An attempt that failed has claimed the last one.
  if (claims > 1) await openPrebuild();
  const before = await waitForAgent(() => true);
  owner = await logIn(server.url, person);
  const body = { ...claim, name: `mine-${claims}` };
  const { id } = await owner.call(createWorkspace, { params: { user: "me" }, body });
  expect(id).toBe(workspaceId);
  await waitForAgent((claimed) => claimed.id !== before.id);
  await expectBulk(await connect());
  await expectNoStranger();
});

it("carries bulk after the agent was killed and started again", async () => {
  const connection = await connect();
  await connection.reach(AbortSignal.timeout(bulkMs));
  agentToken = await readAgentToken(owner, workspaceId);
  await endAgent();
  agent = await startAgent();
  await untilReached(connection);
  await expectBulk(connection);
  await expectNoStranger();
});

it("carries bulk after the server was killed and started again, on connections from before", async () => {
  const connection = await connect();
  await expectBulk(connection);
  const { port } = new URL(server.url);
  await server.end("SIGKILL");
  server = await startServerProcess({ dataDir: directory, port: Number(port) });
  lastClosed = 0;
  await untilReached(connection);
  await expectBulk(connection);
  await expectNoStranger();
});
