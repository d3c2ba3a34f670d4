import { once } from "node:events";

import {
  deleteDevcontainer,
  getContainers,
  recreateDevcontainer,
} from "@slipway/api/agents/container-routes";
import { getAgentLogs } from "@slipway/api/agents/log-routes";
import { getWorkspace } from "@slipway/api/workspaces/routes";
import { makeWorkspace, pushTemplate, readAgentToken, requireAgent } from "@slipway/testkit";
import { openDocker, type TestEngine } from "@slipway/testkit/engines";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { WebSocket } from "ws";

import { type ContainerMachine, openContainerMachine } from "../support/container-machine.ts";
import { openServer, type OpenServer } from "../support/open-server.ts";

/* A workspace on a machine with Docker, and the agent from its archive: what happens in containers. */

const opened = new AsyncDisposableStack();
let engine: TestEngine;
let server: OpenServer;
let machine: ContainerMachine;
let workspaceId = "";
let agentId = "";

const patience = { timeout: 60_000, interval: 250 };

const configuration = {
  image: "box:1",
  overrideCommand: true,
  runArgs: ["--network", "host"],
  containerEnv: { COLOR: "green" },
  remoteEnv: { GREETING: "hello ${containerEnv:COLOR}" },
  customizations: {
    coder: {
      name: "front",
      // The name is known to the second reading of the configuration only.
      apps: [{ slug: "web", url: "http://localhost:8080/${localEnv:CODER_WORKSPACE_AGENT_NAME}" }],
    },
  },
};

beforeAll(async () => {
  engine = opened.use(await openDocker());
  server = opened.use(await openServer(inject("postgresUrl")));
  const template =
    'driver: external\nagents: { main: { os: linux, arch: amd64, directory: "~" } }\n';
  const templateId = await pushTemplate(server.admin, "machine", template);
  const workspace = await makeWorkspace(server.admin, "machine", templateId, () => true);
  workspaceId = workspace.id;
  agentId = requireAgent(workspace).id;
  machine = opened.use(await openContainerMachine(engine));
  await machine.addProject("site", configuration);
  await startAgent();
});

afterAll(() => opened.disposeAsync());

async function startAgent(): Promise<void> {
  machine.startAgent(server.url, await readAgentToken(server.admin, workspaceId));
  await vi.waitFor(() => list(), patience);
}

const list = () => server.admin.call(getContainers, { params: { agent: agentId }, query: {} });

async function devcontainer() {
  const [found] = (await list()).devcontainers;
  if (found === undefined) throw new Error("there is no dev container");
  return found;
}

/** The agents of the workspace, with their states. */
async function agentsOf(): Promise<readonly string[]> {
  const { latest_build: build } = await server.admin.call(getWorkspace, {
    params: { workspace: workspaceId },
  });
  return build.resources
    .flatMap(({ agents }) => agents ?? [])
    .map(({ name, status, lifecycle_state: state }) => `${name} ${status} ${state}`);
}

async function logOf(): Promise<string> {
  const lines = await server.admin.call(getAgentLogs, { params: { agent: agentId } });
  return lines.map(({ output }) => output).join("\n");
}

/** Runs a command on a terminal in a container, and resolves to what it prints. */
async function onTerminal(container: string, user: string, command: string): Promise<string> {
  const query = new URLSearchParams({
    reconnect: crypto.randomUUID(),
    container,
    container_user: user,
    command,
  });
  const url = `${server.url.replace("http", "ws")}/api/v2/workspaceagents/${agentId}/pty?${query.toString()}`;
  const socket = new WebSocket(url, { headers: server.admin.headers });
  let seen = "";
  socket.on("message", (data: Buffer) => (seen += data.toString()));
  await once(socket, "close");
  return seen;
}

describe("the containers of a workspace with Docker", () => {
  it("are listed with their ports, mounts and ends", async () => {
    await engine.docker([
      "run",
      "--detach",
      "--name",
      "web",
      "--network",
      "host",
      "--label",
      "tier=front",
      "--volume",
      `${machine.home}/site:/site`,
      "box:1",
      "sleep",
      "1000",
    ]);
    await engine
      .docker(["run", "--name", "failed", "--network", "none", "box:1", "sh", "-c", "exit 3"])
      .catch(() => undefined);
    await expect
      .poll(async () => (await list()).containers, patience)
      .toMatchObject([
        { name: "failed", status: "exited with code 3", running: false },
        {
          name: "web",
          status: "running",
          labels: { tier: "front" },
          volumes: { [`${machine.home}/site`]: "/site" },
        },
      ]);
  });

  it("have terminals, as any of their users", async () => {
    expect(await onTerminal("web", "", "id -u; tty; echo $TERM")).toMatch(
      /^0\r\n\/dev\/pts\/\d+\r\nxterm-256color\r\n$/,
    );
    expect(await onTerminal("web", "1234", "id -u; pwd")).toBe("1234\r\n/\r\n");
    expect(await onTerminal("nothing", "", "id")).toBe("there is no container nothing\r\n");
    expect(await onTerminal("failed", "", "id")).toBe("container failed does not run\r\n");
    expect(await onTerminal("web", "--privileged", "id")).toContain("is not the name of a user");
  });

  it("include the dev container of a project, which is created on request, with an agent", async () => {
    await expect.poll(devcontainer, patience).toMatchObject({ name: "site", status: "stopped" });
    const { id } = await devcontainer();
    await server.admin.call(recreateDevcontainer, { params: { agent: agentId, devcontainer: id } });
    expect(await devcontainer()).toMatchObject({ status: "starting" });
    await expect
      .poll(agentsOf, patience)
      .toEqual(["main connected ready", "front connected ready"]);
    expect(await devcontainer()).toMatchObject({
      status: "running",
      dirty: false,
      agent: { name: "front", directory: "/workspaces/site" },
    });
    const { container } = await devcontainer();
    expect(await onTerminal(container?.name ?? "", "", "echo $GREETING")).toBe("hello green\r\n");
    expect(await logOf()).toContain("Container started");
  });

  it("have agents that heal, and end with the agent outside", async () => {
    const { container } = await devcontainer();
    const name = container?.name ?? "";
    const processes = () => engine.docker(["exec", name, "ps"]);
    await engine
      .docker(["exec", name, "sh", "-c", "kill -9 $(pidof node ld-linux-x86-64.so.2)"])
      .catch(() => undefined);
    await expect
      .poll(agentsOf, patience)
      .toEqual(["main connected ready", "front connected ready"]);
    await machine.endAgent("SIGKILL");
    await expect.poll(processes, patience).not.toContain("agent.cjs");
    await startAgent();
    // Not a second one of another name: the first was removed.
    await expect
      .poll(agentsOf, patience)
      .toEqual(["main connected ready", "front connected ready"]);
  });

  it("are dirty once their configuration has changed, and are deleted, but no others", async () => {
    const { id, container } = await devcontainer();
    const changed = JSON.stringify({ ...configuration, name: "x" });
    await machine.write("site/.devcontainer/devcontainer.json", changed);
    await expect.poll(async () => (await devcontainer()).dirty, patience).toBe(true);
    await server.admin.call(deleteDevcontainer, { params: { agent: agentId, devcontainer: id } });
    const left = await engine.docker(["ps", "--all", "--format", "{{.Names}}"]);
    expect(left.trim().split("\n").toSorted()).toEqual(["failed", "web"]);
    expect(left).not.toContain(container?.name ?? "none");
    expect(await devcontainer()).toMatchObject({ status: "stopped" });
    await expect.poll(agentsOf, patience).toEqual(["main connected ready"]);
  });

  it("are an error while the daemon is away, and come back with it", async () => {
    await engine.kill();
    await expect
      .poll(() => list().catch((error: unknown) => String(error)), patience)
      .toContain("failed");
    await engine.start();
    await expect
      .poll(async () => (await list().catch(() => undefined))?.containers.length, patience)
      .toBe(2);
  });
});
