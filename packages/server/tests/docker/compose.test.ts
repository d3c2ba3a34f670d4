import { dirname } from "node:path";

import {
  deleteDevcontainer,
  getContainers,
  recreateDevcontainer,
} from "@slipway/api/agents/container-routes";
import { getWorkspace } from "@slipway/api/workspaces/routes";
import { makeWorkspace, pushTemplate, readAgentToken, requireAgent } from "@slipway/testkit";
import { buildArchive, openDocker, type TestEngine } from "@slipway/testkit/engines";
import { afterAll, beforeAll, expect, inject, it, vi } from "vitest";

import { type ContainerMachine, openContainerMachine } from "../support/container-machine.ts";
import { openServer, type OpenServer } from "../support/open-server.ts";

/*
 * A dev container that is a service of a Compose project, and a project of somebody else. The agent outside runs from a clone,
 * so that the one inside comes from the server.
 */

const opened = new AsyncDisposableStack();
let engine: TestEngine;
let server: OpenServer;
let machine: ContainerMachine;
let workspaceId = "";
let agentId = "";

const patience = { timeout: 60_000, interval: 250 };

const compose = `
version: "3"
services:
  app: { image: "box:1", command: sleep 1000, network_mode: host }
  db: { image: "box:1", command: sleep 1000, volumes: ["data:/data"] }
volumes: { data: {} }
`;

beforeAll(async () => {
  engine = opened.use(await openDocker());
  const downloads = dirname((await buildArchive()).path);
  const settings = { SLIPWAY_DOWNLOADS_DIR: downloads };
  server = opened.use(await openServer(inject("postgresUrl"), settings));
  const template =
    'driver: external\nagents: { main: { os: linux, arch: amd64, directory: "~" } }\n';
  const templateId = await pushTemplate(server.admin, "machine", template);
  const workspace = await makeWorkspace(server.admin, "machine", templateId, () => true);
  workspaceId = workspace.id;
  agentId = requireAgent(workspace).id;
  machine = opened.use(await openContainerMachine(engine, "bundle"));
  await machine.write("shop/.devcontainer/compose.yaml", compose);
  await machine.addProject("shop", {
    dockerComposeFile: "compose.yaml",
    service: "app",
    workspaceFolder: "/",
    userEnvProbe: "none",
  });
  machine.startAgent(server.url, await readAgentToken(server.admin, workspaceId));
  await vi.waitFor(() => list(), patience);
});

afterAll(() => opened.disposeAsync());

const list = () => server.admin.call(getContainers, { params: { agent: agentId }, query: {} });

async function devcontainer() {
  const [found] = (await list()).devcontainers;
  if (found === undefined) throw new Error("there is no dev container");
  return found;
}

async function agentsOf(): Promise<readonly string[]> {
  const params = { workspace: workspaceId };
  const { latest_build: build } = await server.admin.call(getWorkspace, { params });
  const agents = build.resources.flatMap((resource) => resource.agents ?? []);
  return agents.map(({ name, status, lifecycle_state: state }) => `${name} ${status} ${state}`);
}

/** The names of what the engine has of a kind, without the networks that every engine has. */
async function namesOf(kind: "container" | "volume" | "network"): Promise<readonly string[]> {
  const all = kind === "container" ? ["--all"] : [];
  const format = kind === "container" ? "{{.Names}}" : "{{.Name}}";
  const listed = await engine.docker([kind, "ls", ...all, "--format", format]);
  const names = listed.trim().split("\n");
  return names.filter((name) => !["", "bridge", "host", "none"].includes(name)).toSorted();
}

it("runs with its siblings, an agent and a volume", async () => {
  const { id, status } = await devcontainer();
  expect(status).toBe("stopped");
  await server.admin.call(recreateDevcontainer, { params: { agent: agentId, devcontainer: id } });
  await expect.poll(agentsOf, patience).toEqual(["main connected ready", "shop connected ready"]);
  expect(await devcontainer()).toMatchObject({ id, status: "running" });
  const { containers } = await list();
  const services = containers.map(({ labels }) => labels["com.docker.compose.service"] ?? "");
  expect(new Set(services)).toEqual(new Set(["app", "db"]));
  expect(await namesOf("volume")).toHaveLength(1);
  expect(await namesOf("network")).toHaveLength(1);
});

it("leaves nothing of its project when it is deleted, and everything of another", async () => {
  const { id, container } = await devcontainer();
  const project = container?.labels["com.docker.compose.project"] ?? "";
  const other = ["--label", `com.docker.compose.project=${project}-other`];
  await engine.docker(["network", "create", ...other, "theirs"]);
  await engine.docker(["volume", "create", ...other, "theirs"]);
  await engine.docker([
    "run",
    "--detach",
    "--name=theirs",
    "--network=none",
    ...other,
    "box:1",
    "sleep",
    "1000",
  ]);
  await server.admin.call(deleteDevcontainer, { params: { agent: agentId, devcontainer: id } });
  expect(await namesOf("container")).toEqual(["theirs"]);
  expect(await namesOf("volume")).toEqual(["theirs"]);
  expect(await namesOf("network")).toEqual(["theirs"]);
  expect(await devcontainer()).toMatchObject({ status: "stopped" });
  await expect.poll(agentsOf, patience).toEqual(["main connected ready"]);
});
