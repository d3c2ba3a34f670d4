import { type ChildProcess, execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  deleteDevcontainer,
  getContainers,
  recreateDevcontainer,
} from "@slipway/api/agents/container-routes";
import { getListeningPorts } from "@slipway/api/agents/listening-port-routes";
import { getAgentLogs, getAgentStartupLogs } from "@slipway/api/agents/log-routes";
import { getAgent } from "@slipway/api/agents/routes";
import { deleteExternalAuth } from "@slipway/api/external-auth/routes";
import { getGitKey } from "@slipway/api/users/git-key-routes";
import { getWorkspace } from "@slipway/api/workspaces/routes";
import { ApiError } from "@slipway/sdk/http";
import { openLocalServer, requireAgent } from "@slipway/testkit";
import { logInToProvider, type OAuthServer, openOAuthServer } from "@slipway/testkit/oauth";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";

import { openGitHost } from "./support/git-host.ts";
import { agents } from "./support/network/agents.ts";
import { commands, InstalledCommand, ourCommand } from "./support/network/commands.ts";
import { findOnTailnet } from "./support/network/coordination.ts";
import { findFreePort } from "./support/network/forwarded-ports.ts";
import { type NetworkServer, openOurServer, untilConnected } from "./support/network/servers.ts";
import { untilPrinted } from "./support/network/until-printed.ts";
import { patience } from "./support/patience.ts";

/*
 * The endpoints of agents (docs/endpoints.md) with our agent and with the stock ones that SLIPWAY_STOCK_AGENT names:
 * those through which people reach an agent, and those through which a workspace's programs reach the server with its
 * token.
 */

const template = `
driver: external
agents:
  main:
    os: linux
    arch: amd64
    scripts:
      greet: { run_on: [start], run: echo hello from start }
    apps:
      web: { display_name: Web, url: "http://localhost:1" }
`;

const opened = new AsyncDisposableStack();
let homes = "";
let provider: OAuthServer;
let server: NetworkServer;
let command: InstalledCommand;

beforeAll(async () => {
  homes = await mkdtemp(join(tmpdir(), "slipway-endpoints-"));
  opened.defer(() => rm(homes, { recursive: true, force: true }));
  provider = opened.use(await openOAuthServer());
  // The tokens are for the host localhost; the server does not know 127.0.0.1.
  const environment = {
    ...provider.settings(0, "git"),
    SLIPWAY_EXTERNAL_AUTH_0_REGEX: "^(http://|https://)localhost:",
  };
  server = opened.use(await openOurServer(template, environment));
  command = await InstalledCommand.install(ourCommand, join(homes, "command"));
  const { serverUrl, headers } = server.client;
  await command.expect(["login", serverUrl, "--token", headers["Coder-Session-Token"] ?? ""]);
});
afterAll(() => opened.disposeAsync());

/** Opens a socket of the server, closed at the end of the test. */
function openSocket(path: string): WebSocket {
  const { serverUrl, headers } = server.client;
  const socket = new WebSocket(`${serverUrl.replace("http", "ws")}/api/v2${path}`, { headers });
  onTestFinished(() => socket.terminate());
  return socket;
}

describe.each(agents)("$name", (kind) => {
  let agent: ChildProcess;
  let agentId = "";
  let name = "";
  beforeAll(async () => {
    const { client } = server;
    const workspace = await server.openWorkspace(kind.name);
    ({ name } = workspace);
    const home = join(homes, name);
    agent = await kind.start({ serverUrl: client.serverUrl, token: workspace.token, home });
    await untilConnected(client, workspace.id);
    const params = { workspace: workspace.id };
    agentId = requireAgent(await client.call(getWorkspace, { params })).id;
  });
  afterAll(async () => {
    const exited = once(agent, "exit");
    agent.kill("SIGKILL");
    await exited;
  });

  /** Runs a script in the workspace; returns its output. */
  async function inside(script: string): Promise<string> {
    const { code, stdout, stderr } = await command.run(["ssh", name], script);
    if (code !== 0) throw new Error(`the script ended with ${String(code)}:\n${stdout}${stderr}`);
    return stdout;
  }

  /** Sends a request to the agent's own HTTP API. */
  async function askAgent(
    path: string,
    body: object,
  ): Promise<{ readonly status: number; readonly bytes: Uint8Array }> {
    const port = await findFreePort();
    const forward = command.start(["port-forward", name, "--tcp", `${port}:4`]);
    onTestFinished(() => void forward.kill("SIGINT"));
    await untilPrinted(forward, /^Ready/m);
    const url = `http://127.0.0.1:${port}${path}`;
    const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
    return { status: response.status, bytes: await response.bytes() };
  }

  /** Sends a request from the workspace, with the token of its programs. */
  async function request(method: string, path: string, body?: unknown): Promise<Reply> {
    const data = body === undefined ? "" : `-H 'Content-Type: application/json' -d @-`;
    const url = `${server.client.serverUrl}/api/v2/workspaceagents/me${path}`;
    const curl = `curl -sS -X ${method} -w '\\n%{http_code}' ${data} '${url}'`;
    const line = `${curl} -H "Coder-Session-Token: $CODER_AGENT_TOKEN"`;
    const lines = [line, ...(body === undefined ? [] : [`<<'END'\n${JSON.stringify(body)}\nEND`])];
    const printed = (await inside(`${lines.join(" ")}\n`)).trimEnd();
    const end = printed.lastIndexOf("\n");
    return { status: Number(printed.slice(end)), body: JSON.parse(printed.slice(0, end)) };
  }

  const read = () => server.client.call(getAgent, { params: { agent: agentId } });

  it("is shown as connected and ready, with its release", async () => {
    await expect.poll(read, patience).toMatchObject({
      status: "connected",
      lifecycle_state: "ready",
      version: expect.stringMatching(/^v\d/),
      health: { healthy: true },
    });
  });

  it("is on a relay of the map that anybody reads", async () => {
    const [message] = await once(openSocket("/derp-map"), "message");
    const { Regions: regions } = JSON.parse(String(message));
    const [region] = Object.values<{ readonly RegionName: string }>(regions);
    await expect
      .poll(async () => Object.entries((await read()).latency ?? {}), patience)
      .toContainEqual([region?.RegionName, expect.objectContaining({ preferred: true })]);
  });

  it("is reached by clients that learn the network's relays from its server", async () => {
    const { serverUrl, headers } = server.client;
    const url = `${serverUrl}/api/v2/workspaceagents/${agentId}/connection`;
    const response = await fetch(url, { headers });
    expect(await response.json()).toMatchObject({
      derp_map: { Regions: { 999: { Nodes: [expect.objectContaining({ RegionID: 999 })] } } },
      disable_direct_connections: false,
      hostname_suffix: "coder",
    });
    expect(await command.expect(["ping", "-n", "1", name])).toMatch(/^pong from /m);
  });

  it("is found among all agents of its owner", async () => {
    await findOnTailnet(server.client, agentId);
  });

  it("is reached over the network by its own coordination", async () => {
    expect(await inside("echo $((40 + 2))\n")).toBe("42\n");
  });

  it("shows the ports that its workspace listens on", async () => {
    await using listener = await openLocalServer(createServer((socket) => socket.destroy()));
    const params = { agent: agentId };
    await expect
      .poll(async () => (await server.client.call(getListeningPorts, { params })).ports, patience)
      .toContainEqual(expect.objectContaining({ network: "tcp", port: listener.port }));
  });

  it("lists, watches, recreates and deletes dev containers of a machine with an engine", async () => {
    const { client } = server;
    const workspace = await server.openWorkspace(`engine ${kind.name}`);
    const home = await mkdtemp(join(homes, "engine-"));
    const calls = await installEngine(home);
    const environment = {
      PATH: `${join(home, "bin")}:/usr/bin:/bin`,
      CODER_AGENT_DEVCONTAINERS_ENABLE: "true",
    };
    const { serverUrl } = client;
    const started = await kind.start({ serverUrl, token: workspace.token, home, environment });
    onTestFinished(async () => {
      const exited = once(started, "exit");
      started.kill("SIGKILL");
      await exited;
    });
    await untilConnected(client, workspace.id);
    const running = await client.call(getWorkspace, { params: { workspace: workspace.id } });
    const { id: machine } = requireAgent(running);
    const list = () => client.call(getContainers, { params: { agent: machine }, query: {} });
    const containers = [{ name: "dev" }];
    // Agents before v2.24 list containers only.
    const devcontainers = /v2\.2[0-3]\./.test(kind.name) ? [] : [{ name: "site" }];
    const listed = { devcontainers, containers };
    await expect.poll(list, patience).toMatchObject(listed);
    if (devcontainers.length === 0) return;
    const [message] = await once(
      openSocket(`/workspaceagents/${machine}/containers/watch`),
      "message",
    );
    expect(JSON.parse(String(message))).toMatchObject(listed);
    const devcontainer = (await list()).devcontainers[0]?.id ?? "";
    const params = { agent: machine, devcontainer };
    await client.call(recreateDevcontainer, { params });
    await expect
      .poll(async () => (await list()).devcontainers[0]?.status, patience)
      .not.toBe("starting");
    await client.call(deleteDevcontainer, { params });
    expect(await calls()).toMatch(/^rm /m);
  });

  it("collects files of its workspace for support", async () => {
    const home = (await inside("pwd -P\n")).trim();
    await inside(`mkdir -p bundle/deep
printf one > bundle/one.log; printf two > bundle/deep/two.log; ln -s one.log bundle/link
head -c 11000000 /dev/zero > bundle/large\n`);
    const names = ["~/bundle/**/*.{log,txt}", "$HOME/bundle/large", "~/bundle/link", "~/none"];
    const { status, bytes } = await askAgent("/api/v0/bundle-files", { paths: names });
    // Agents before v2.36 lack the route.
    const known = /v2\.(?:[0-2]\d|3[0-5])\./.test(kind.name) ? 404 : 200;
    expect(status).toBe(known);
    if (known === 404) return;
    const unpacked = await mkdtemp(join(homes, "bundle-"));
    execFileSync("tar", ["x", "-C", unpacked], { input: bytes });
    const path = (below: string): string => `${home}/bundle/${below}`;
    const contentOf = (below: string): Promise<Buffer> =>
      readFile(join(unpacked, "files", path(below)));
    expect((await contentOf("deep/two.log")).toString()).toBe("two");
    const limit = 10 * 1024 * 1024;
    expect(await contentOf("large")).toHaveLength(limit);
    const manifest: unknown = JSON.parse(await readFile(join(unpacked, "manifest.json"), "utf8"));
    const whole = { size: 3, bytes_written: 3, truncated: false };
    expect(manifest).toEqual({
      requested: names,
      files: [
        { ...entryOf(names[0], path("deep/two.log")), ...whole },
        { ...entryOf(names[0], path("one.log")), ...whole },
        {
          ...entryOf(names[1], path("large")),
          size: 11_000_000,
          bytes_written: limit,
          truncated: true,
        },
      ],
      errors: [{ requested: "~/none", path: `${home}/none`, reason: expect.any(String) }],
      truncated: true,
      limits: { max_files: 10_000, max_bytes_per_file: limit, max_total_bytes: 10 * limit },
    });
  });

  it("opens a terminal through the server", async () => {
    const socket = openSocket(`/workspaceagents/${agentId}/pty?reconnect=${randomUUID()}`);
    let seen = "";
    socket.on("message", (data: Buffer) => (seen += data.toString()));
    await once(socket, "open");
    socket.send(Buffer.from(JSON.stringify({ data: "echo $((40 + 2))\r" })));
    await expect.poll(() => seen, patience).toMatch(/^42\r$/m);
  });

  it.each(commands.filter(({ isOurs }) => !isOurs))(
    "opens a terminal for the experimental command rpty of $name",
    async (stockKind) => {
      const stock = await InstalledCommand.install(stockKind, await mkdtemp(join(homes, "rpty-")));
      const { serverUrl, headers } = server.client;
      await stock.expect(["login", serverUrl, "--token", headers["Coder-Session-Token"] ?? ""]);
      const printed = await stock.expect([
        "exp",
        "rpty",
        name,
        "--",
        "echo $((40 + 2)); test -t 0",
      ]);
      expect(printed).toMatch(/^42\r$/m);
    },
  );

  it("shows its log under the present and the former name", async () => {
    const params = { agent: agentId };
    for (const route of [getAgentLogs, getAgentStartupLogs] as const) {
      await expect
        .poll(() => server.client.call(route, { params }), patience)
        .toContainEqual(expect.objectContaining({ output: "hello from start", level: "info" }));
    }
  });

  it("lets programs of its workspace add sources and lines to its log", async () => {
    const id = randomUUID();
    const source = { id, display_name: "Builder", icon: "/icon.svg" };
    expect(await request("POST", "/log-source", source)).toMatchObject({
      status: 201,
      body: { ...source, workspace_agent_id: agentId },
    });
    const output = `built ${randomUUID()}`;
    const created_at = new Date().toISOString();
    const logs = [{ created_at, output, level: "warn" }];
    const sent = await request("PATCH", "/logs", { log_source_id: id, logs });
    expect(sent).toEqual({ status: 200, body: null });
    const lines = await server.client.call(getAgentLogs, { params: { agent: agentId } });
    expect(lines).toContainEqual(expect.objectContaining({ output, level: "warn", source_id: id }));
  });

  it("lets programs of its workspace report the status of an app", async () => {
    const message = `at ${randomUUID()}`;
    const status = { app_slug: "web", state: "working", message, uri: "https://example.com/" };
    expect(await request("PATCH", "/app-status", status)).toEqual({ status: 200, body: null });
    const [app] = (await read()).apps;
    expect(app?.statuses[0]).toMatchObject({ state: "working", message, agent_id: agentId });
  });

  it("gives programs of its workspace the owner's key for Git", async () => {
    const { public_key } = await server.client.call(getGitKey, { params: { user: "me" } });
    expect(await request("GET", "/gitsshkey")).toMatchObject({
      status: 200,
      body: { public_key, private_key: expect.stringContaining("OPENSSH PRIVATE KEY") },
    });
  });

  it("lets Git use the owner's key", async () => {
    const { public_key } = await server.client.call(getGitKey, { params: { user: "me" } });
    // A replacement for ssh that prints the key it gets.
    const fake = `#!/bin/sh
[ "$1" = -G ] && exit 1
for word; do [ "$last" = -i ] && ssh-keygen -y -f "$word"; last=$word; done >&2
exit 1
`;
    const printed = await inside(
      `mkdir -p ~/fake && cat > ~/fake/ssh <<'END'\n${fake}END\nchmod +x ~/fake/ssh
PATH=~/fake:$PATH git ls-remote ssh://git@git.example.com/a 2>&1; true\n`,
    );
    expect(printed).toContain(public_key.split(" ").slice(0, 2).join(" ").trim());
  });

  it("answers Git's questions, and lets it ask the user for hosts that the server does not know", async () => {
    const challenge = { "WWW-Authenticate": 'Basic realm="git"' };
    await using host = await openLocalServer(
      createHttpServer((_request, response) => response.writeHead(401, challenge).end()),
    );
    const line = `GIT_TERMINAL_PROMPT=0 git ls-remote ${host.url}/a 2>&1; true\n`;
    const printed = await inside(line);
    expect(printed).toMatch(/no tokens for|No external auth provider/);
    expect(printed).toContain("could not read Username");
  });

  it.each(["/external-auth", "/gitauth"])(
    "answers programs of its workspace that ask %s for a token of a Git host",
    async (path) => {
      await logOut();
      const page = `${server.client.serverUrl}/external-auth/git`;
      const known = `${path}?id=&match=${encodeURIComponent("https://localhost:1/a")}`;
      expect(await request("GET", known)).toMatchObject({ status: 200, body: { url: page } });
      const listening = request("GET", `${known}&listen=true`);
      await logIn();
      const token = provider.accepted.at(-1);
      const answer = { access_token: token, username: token, password: "", url: "" };
      expect(await listening).toMatchObject({ status: 200, body: answer });
      expect(await request("GET", `${path}?id=git&match=`)).toMatchObject({ body: answer });
      const url = "https://git.example.com/a";
      const message = `No external auth provider is for the URL "${url}".`;
      const reply = await request("GET", `${path}?id=&match=${encodeURIComponent(url)}`);
      expect(reply).toMatchObject({ status: 404, body: { message } });
      expect(await request("GET", `${path}?id=&match=`)).toMatchObject({ status: 400 });
    },
  );

  it("lets Git clone with the owner's token, and the command print it", async () => {
    await logIn();
    const directory = await mkdtemp(join(homes, "git-"));
    const mayRead = (username: string, password: string): boolean =>
      provider.accepted.includes(username) && password === username;
    await using host = await openGitHost(directory, mayRead);
    const printed = await inside(`cd "$(mktemp -d)"
GIT_TERMINAL_PROMPT=0 git clone -q http://localhost:${host.port}/repository.git && git -C repository log --format=%s
slipway external-auth access-token git || "$GIT_ASKPASS" external-auth access-token git\n`);
    expect(printed.trim().split("\n")).toEqual(["first", provider.accepted.at(-1)]);
  });
});

async function logIn(): Promise<void> {
  const { serverUrl, headers } = server.client;
  await logInToProvider({ serverUrl, token: headers["Coder-Session-Token"] ?? "" }, "git");
}

/** Ends the login that an earlier test may have left. */
async function logOut(): Promise<void> {
  const params = { provider: "git" };
  await server.client.call(deleteExternalAuth, { params }).catch((error: unknown) => {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
  });
}

/** The part of a bundle's manifest that tells where a file came from. */
function entryOf(requested: string | undefined, path: string): object {
  return { requested, path, archive_path: `files${path}`, mod_time: expect.any(String) };
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/**
 * Writes the programs of a container engine with one dev container, as shell scripts. Returns a function that reads the
 * commands with which they were called.
 */
async function installEngine(home: string): Promise<() => Promise<string>> {
  for (const name of ["bin", "site"]) await mkdir(join(home, name));
  const id = "a".repeat(64);
  const container = JSON.stringify({
    Id: id,
    Name: "/dev",
    Created: "2026-11-30T00:00:00Z",
    State: { Running: true },
    Config: { Image: "image:1", Labels: { "devcontainer.local_folder": join(home, "site") } },
    NetworkSettings: { Ports: {} },
    Mounts: [],
  });
  const scripts = {
    docker: `case $1 in
      ps) echo ${id} ;;
      inspect) case "$*" in *--format*) echo '${container}' ;; *) echo '[${container}]' ;; esac ;;
      esac`,
    devcontainer: `[ "$1" = up ] && echo '{"outcome":"success","containerId":"${id}"}'`,
  };
  const log = join(home, "calls");
  for (const [name, script] of Object.entries(scripts)) {
    const path = join(home, "bin", name);
    await writeFile(path, `#!/bin/sh\necho "$@" >> ${log}\n${script}\n`);
    await chmod(path, 0o700);
  }
  return () => readFile(log, "utf8");
}
