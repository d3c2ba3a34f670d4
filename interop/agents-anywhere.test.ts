import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { getExternalAgentCredentials } from "@slipway/api/workspaces/external-agent-routes";
import type { ApiClient } from "@slipway/sdk/http";
import {
  agentEnvironment,
  freshName,
  logInAsAdmin,
  makeWorkspace,
  pushTemplate,
  requireAgent,
  type ServerProcess,
  startServerProcess,
  waitForWorkspace,
} from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";

import { type BareRoot, makeBusyboxRoot, makeDebianRoot, runInRoot } from "./support/bare-roots.ts";
import { emulator } from "./support/emulator.ts";
import { InstalledCommand, ourCommand } from "./support/network/commands.ts";
import { patience } from "./support/patience.ts";
import { readMetadata } from "./support/read-metadata.ts";

/*
 * Agents and commands from a real server's downloads, on systems without Node.js: bare Debian, and busybox with musl.
 * The arm64 archive runs on an emulated processor. The archives are built from registry packages, as in production.
 */

const template = `
driver: external
agents:
  main:
    os: linux
    arch: amd64
    directory: "~"
    scripts:
      greet: { run_on: [start], run: "echo hello; command -v slipway" }
    metadata:
      memory: { display_name: Memory, interval: 1s, timeout: 10s, run: slipway stat mem }
`;

/** A directory of ready archives, to avoid building them. */
const ready = process.env["SLIPWAY_DOWNLOADS_DIR"];

/** The settings with which this machine reaches the registries, which npm takes from the server's environment. */
const registries: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(process.env).flatMap(([name, value]) =>
    value !== undefined &&
    /^(node_extra_ca_certs|npm_config_\w+|https?_proxy|no_proxy)$/i.test(name)
      ? [[name, value]]
      : [],
  ),
);

const opened = new AsyncDisposableStack();
let place = "";
let server: ServerProcess;
let client: ApiClient;
let templateId = "";
let command: InstalledCommand;

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), "slipway-anywhere-"));
  opened.defer(() => rm(place, { recursive: true, force: true }));
  // The server's database runs as another user.
  await chmod(place, 0o755);
  server = await startServerProcess({
    dataDir: join(place, "data"),
    port: 0,
    environment: ready === undefined ? registries : { SLIPWAY_DOWNLOADS_DIR: ready },
  });
  opened.defer(() => server.end("SIGINT"));
  client = await logInAsAdmin(server.url);
  templateId = await pushTemplate(client, "anywhere", template);
  command = await InstalledCommand.install(ourCommand, join(place, "command"));
  const token = client.headers["Coder-Session-Token"] ?? "";
  await command.expect(["login", server.url, "--token", token]);
  await download("slipway-linux-amd64.tar.gz");
});
afterAll(() => opened.disposeAsync());

/** The time limit to build an archive: most of it is spent on downloads from the registries. */
const makeLimitMs = 500_000;

/** Downloads an archive, which is built at its first request; returns the path. */
async function download(name: string): Promise<string> {
  const startedAt = performance.now();
  const response = await vi.waitFor(
    async () => {
      const answer = await fetch(`${server.url}/bin/${name}`);
      if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
      return answer;
    },
    { timeout: makeLimitMs, interval: 1_000 },
  );
  const path = join(place, name);
  const content = new Uint8Array(await response.arrayBuffer());
  await writeFile(path, content);
  report(`${name}: ${(content.length / 1e6).toFixed(1)} MB, made and read`, startedAt);
  return path;
}

function report(what: string, startedAt: number): void {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  process.stderr.write(`${what} in ${seconds} s\n`);
}

/** Creates a workspace; returns its id, its name, and the command line that starts its agent. */
async function openWorkspace(
  prefix: string,
): Promise<{ readonly id: string; readonly name: string; readonly line: string }> {
  const name = freshName(prefix);
  const { id } = await makeWorkspace(client, name, templateId, () => true);
  const params = { workspace: id, agent: "main" };
  const { command: line } = await client.call(getExternalAgentCredentials, { params });
  return { id, name, line };
}

/** Kills a root's process at the end of the test; a failed test shows its output. */
function endLater(child: ChildProcess): void {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => (output = (output + chunk.toString()).slice(-20_000)));
  }
  onTestFinished(async ({ task }) => {
    if (task.result?.state === "fail") process.stderr.write(output);
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
}

async function untilReady(id: string): Promise<string> {
  const workspace = await waitForWorkspace(client, id, (one) => {
    return requireAgent(one).lifecycle_state === "ready";
  });
  return requireAgent(workspace).id;
}

describe.each([
  ["Debian 11", () => makeDebianRoot(place, "bullseye", "curl")],
  ["Debian 13", () => makeDebianRoot(place, "trixie", "wget")],
  ["busybox with musl", () => makeBusyboxRoot(place)],
] as const)("on %s", (system, make) => {
  let root: BareRoot;
  beforeAll(async () => {
    root = await make();
  });

  it("the printed line starts an agent of an ordinary user, and starts it again", async () => {
    const prefix = system.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
    const { id, name, line: start } = await openWorkspace(prefix);
    const startedAt = performance.now();
    const child = runInRoot(root, start);
    endLater(child);
    const agent = await untilReady(id);
    report(`${system}: from the line to ready`, startedAt);

    await expect
      .poll(async () => (await readMetadata(client, agent))[0]?.result.value, patience)
      .toMatch(/^\d/);
    const line = "test -t 0 && id -u && command -v slipway";
    const { code, stdout, stderr } = await command.run(["ssh", "-t", name, line]);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("4711");
    expect(stdout).toContain("/.cache/slipway/releases/");

    child.kill("SIGKILL");
    await once(child, "exit");
    const again = performance.now();
    const since = Date.now();
    endLater(runInRoot(root, start));
    await vi.waitFor(async () => {
      const [memory] = await readMetadata(client, agent);
      expect(Date.parse(memory?.result.collected_at ?? "")).toBeGreaterThan(since);
    }, patience);
    report(`${system}: the same again`, again);
  });

  it("the command installs, runs and is removed", async () => {
    const run = async (line: string): Promise<string> => {
      const child = runInRoot(root, line);
      let output = "";
      child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
      child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
      const [code] = await once(child, "close");
      return `${output}exit code ${code}`;
    };
    const get = `(curl -fsSL ${server.url}/install.sh || wget -qO- ${server.url}/install.sh) |`;
    expect(await run(`${get} sh`)).toContain("installed /home/ada/.local/bin/slipway: slipway v");
    const token = client.headers["Coder-Session-Token"] ?? "";
    const logIn = `~/.local/bin/slipway login ${server.url} --token ${token}`;
    expect(await run(logIn)).toContain("exit code 0");
    expect(await run("~/.local/bin/slipway list")).toContain("anywhere");
    expect(await run(`${get} sh -s -- --uninstall`)).toContain("exit code 0");
    expect(await readdir(join(root.directory, "home/ada/.local/bin"))).toEqual([]);
  });
});

it("a start script for Coder gets on with what it downloads", async () => {
  const { id, line } = await openWorkspace("coder-script");
  const token = /CODER_AGENT_TOKEN=(\S+)/.exec(line)?.[1] ?? "";
  const root = await makeBusyboxRoot(join(place, "coder"));
  const script = `cd /tmp && wget -q ${server.url}/bin/coder-linux-amd64 -O coder && chmod +x coder || exit 1
    ./coder --version | head -n1 | grep -q Coder || exit 2
    exec ./coder agent`;
  endLater(
    runInRoot(root, script, { CODER_AGENT_URL: `${server.url}/`, CODER_AGENT_TOKEN: token }),
  );
  await untilReady(id);
});

it("the archive for arm64 runs an agent", { timeout: 600_000 }, async () => {
  const path = await download("slipway-linux-arm64.tar.gz");
  const root = join(place, "arm64");
  await mkdir(root);
  expect(spawnSync("tar", ["-xzf", path, "-C", root]).status).toBe(0);
  const lib = join(root, "slipway/lib");
  const [loader, ...libraries] = ["ld-linux-aarch64.so.1", "--inhibit-cache", "--library-path"];
  const words = [join(lib, "glibc", loader ?? ""), ...libraries, join(lib, "glibc")];
  const { id, line } = await openWorkspace("arm64");
  const token = /CODER_AGENT_TOKEN=(\S+)/.exec(line)?.[1] ?? "";
  const home = join(place, "arm64-home");
  await mkdir(home);
  const startedAt = performance.now();
  const program = join(lib, "slipway/agent/dist/agent.cjs");
  const child = spawn(emulator, [...words, join(lib, "node"), program], {
    env: agentEnvironment({ serverUrl: server.url, token, home }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  endLater(child);
  await untilReady(id);
  report("arm64, emulated: from the start to ready", startedAt);
});

it("the same parts make the same archive", { timeout: 600_000 }, async () => {
  const first = await readFile(await download("slipway-linux-amd64.tar.gz"));
  const output = join(place, "again");
  const tool = fileURLToPath(new URL("../tools/build-archive.ts", import.meta.url));
  const options = ["--architecture", "amd64", "--compression", "tar.gz", "--output", output];
  const { status, stderr } = spawnSync(process.execPath, [tool, ...options], { encoding: "utf8" });
  expect(status, stderr).toBe(0);
  const second = await readFile(join(output, "slipway-linux-amd64.tar.gz"));
  expect(second.equals(first)).toBe(true);
  expect((await stat(join(output, "slipway-linux-amd64.tar.gz.sha256"))).size).toBeGreaterThan(64);
});
