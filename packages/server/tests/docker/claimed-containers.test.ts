import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { getContainers, recreateDevcontainer } from "@slipway/api/agents/container-routes";
import { getWorkspace } from "@slipway/api/workspaces/routes";
import { connectWithToken, readAgentToken } from "@slipway/testkit";
import { openDocker, type TestEngine } from "@slipway/testkit/engines";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { type ContainerMachine, openContainerMachine } from "../support/container-machine.ts";
import { openServer, type OpenServer } from "../support/open-server.ts";
import { addPerson, type Client } from "../support/people.ts";
import { claim, pushPoolOf, type TestPool, waitForPrebuilds } from "../support/pool.ts";

/* A prebuild whose template declares a dev container, and its claim while that container runs. */

const opened = new AsyncDisposableStack();
let engine: TestEngine;
let server: OpenServer;
let ann: Client;
let machine: ContainerMachine;
let pool: TestPool;
let prebuildId = "";

const patience = { timeout: 60_000, interval: 250 };

/** The start script installs the dotfiles of people, as `slipway dotfiles` does; the pool's user has none. */
const template = `
driver: external
presets: { ready: { prebuilds: { instances: 1 } } }
agents:
  main:
    os: linux
    arch: amd64
    env: { OWNER: "\${{ owner.username }}" }
    scripts:
      dotfiles:
        run_on: [start]
        run: |
          echo "agent of $OWNER" >> ~/site/lines
          [ "$OWNER" = prebuilds ] && exit
          mkdir -p ~/.config/slipway/dotfiles/.git
          git config --file ~/.config/slipway/dotfiles/.git/config slipway.repository "https://git.example/$OWNER/dotfiles"
    dev_containers:
      front: { workspace_folder: ~/site }
`;

/** A command that clones every repository as one with an install script. */
const git = `#!/bin/sh
echo "git $*" >> /workspaces/site/lines
mkdir -p "$5"
echo 'echo "dotfiles installed" >> /workspaces/site/lines' > "$5/install.sh"
`;

const step = (name: string) => `echo ${name} >> lines`;

beforeAll(async () => {
  engine = opened.use(await openDocker());
  server = opened.use(await openServer(inject("postgresUrl")));
  ({ client: ann } = await addPerson(server, "ann"));
  machine = opened.use(await openContainerMachine(engine));
  await machine.write("git", git, 0o755);
  await machine.addProject("site", {
    image: "box:1",
    overrideCommand: true,
    runArgs: ["--network", "host", "--volume", `${machine.home}/git:/usr/bin/git`],
    // BusyBox's interactive shell prints more than variables.
    userEnvProbe: "none",
    onCreateCommand: step("create"),
    updateContentCommand: step("update"),
    postCreateCommand: step("post-create"),
    postStartCommand: step("start"),
    postAttachCommand: step("attach"),
    customizations: {
      coder: {
        displayApps: { vscode: false },
        apps: [{ slug: "web", url: "http://localhost:80/${localEnv:CODER_WORKSPACE_OWNER_NAME}" }],
      },
    },
  });
  pool = await pushPoolOf(server, "pool", template);
  const [prebuild] = await waitForPrebuilds(server, 1);
  prebuildId = prebuild?.id ?? "";
  machine.startAgent(server.url, await readAgentToken(server.admin, prebuildId));
});

afterAll(() => opened.disposeAsync());

/** The agents of the workspace, as a user sees them. */
async function agentsOf(client: Client) {
  const params = { workspace: prebuildId };
  const { latest_build: build } = await client.call(getWorkspace, { params });
  return build.resources.flatMap(({ agents }) => agents ?? []);
}

async function statesOf(client: Client): Promise<readonly string[]> {
  const agents = await agentsOf(client);
  return agents.map(({ name, status, lifecycle_state: state }) => `${name} ${status} ${state}`);
}

const bothReady = ["main connected ready", "front connected ready"];

async function linesOf(): Promise<readonly string[]> {
  return (await readFile(join(machine.home, "site/lines"), "utf8")).trim().split("\n");
}

/** The tokens of the agents that run in the container. */
async function tokensInside(): Promise<readonly string[]> {
  const [container = ""] = (await engine.docker(["ps", "--quiet"])).trim().split("\n");
  const read = "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep ^CODER_AGENT_TOKEN=";
  const lines = await engine.docker(["exec", container, "sh", "-c", read]);
  return [
    ...new Set(
      lines
        .trim()
        .split("\n")
        .map((line) => line.replace("CODER_AGENT_TOKEN=", "")),
    ),
  ];
}

it("gives the agent of a dev container to the new owner, exactly once", async () => {
  await expect.poll(() => statesOf(server.admin), patience).toEqual(bothReady);
  const [, waiting] = await agentsOf(server.admin);
  expect(waiting?.apps).toMatchObject([{ url: "http://localhost:80/prebuilds" }]);
  const [container] = (await engine.docker(["ps", "--quiet"])).trim().split("\n");
  const [oldToken = ""] = await tokensInside();
  expect(await linesOf()).toEqual([
    "agent of prebuilds",
    "create",
    "update",
    "post-create",
    "start",
    "attach",
  ]);

  const claimed = await claim(ann, "mine", pool);
  expect(claimed.id).toBe(prebuildId);
  await expect.poll(() => statesOf(ann), patience).toEqual(bothReady);
  const [, taken] = await agentsOf(ann);
  // Its address follows from its id.
  expect(taken?.id).not.toBe(waiting?.id);
  expect(taken?.apps).toMatchObject([{ url: "http://localhost:80/ann" }]);
  expect(taken?.display_apps).not.toContain("vscode");
  expect(await engine.docker(["ps", "--quiet"])).toBe(`${container}\n`);
  expect((await linesOf()).slice(6)).toEqual([
    "agent of ann",
    expect.stringMatching(/^git clone --depth 1 https:\/\/git.example\/ann\/dotfiles \S+$/),
    "dotfiles installed",
    "attach",
  ]);

  const tokens = await tokensInside();
  expect(tokens).toHaveLength(1);
  expect(tokens).not.toContain(oldToken);
  await expect(connectWithToken(server.url, oldToken)).rejects.toThrow();
  const children = await server.db
    .selectFrom("workspace_agents")
    .where("parent_id", "is not", null)
    .orderBy("created_at")
    .select(["id", "deleted"])
    .execute();
  expect(children).toEqual([
    { id: waiting?.id, deleted: true },
    { id: taken?.id, deleted: false },
  ]);
});

it("runs every step again for a container that is rebuilt", async () => {
  const [main] = await agentsOf(ann);
  const agent = main?.id ?? "";
  const { devcontainers } = await ann.call(getContainers, { params: { agent }, query: {} });
  const devcontainer = devcontainers[0]?.id ?? "";
  await ann.call(recreateDevcontainer, { params: { agent, devcontainer } });
  await expect.poll(async () => (await linesOf()).length, patience).toBe(17);
  expect((await linesOf()).slice(10)).toEqual([
    "create",
    "update",
    "post-create",
    expect.stringContaining("https://git.example/ann/dotfiles"),
    "dotfiles installed",
    "start",
    "attach",
  ]);
  await expect.poll(() => statesOf(ann), patience).toEqual(bothReady);
});
