import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { getAgentLogs } from "@slipway/api/agents/log-routes";
import type { AgentLog } from "@slipway/api/agents/log-routes";
import {
  firstAgent,
  logInAsAdmin,
  makeWorkspace,
  pushTemplate,
  startServerProcess,
} from "@slipway/testkit";
import { expect, it, onTestFinished } from "vitest";

const slipway = fileURLToPath(new URL("../../bin/slipway.js", import.meta.url));
const kills = 20;

const counting = `
driver: process
agents:
  main:
    os: linux
    arch: amd64
    directory: "~"
    scripts:
      count:
        run_on: [start]
        run: |
          echo started >> ~/starts.txt
          i=0
          while :; do i=$((i + 1)); echo "line $i"; sleep 0.01; done
`;

it(
  "loses and duplicates no log line over 20 kills of the server, and keeps the agent's process",
  { timeout: 240_000 },
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "slipway-kill-"));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    let server = await startServerProcess({ dataDir, port: 0 });
    onTestFinished(() => server.end("SIGINT"));
    const port = Number(new URL(server.url).port);
    const client = await logInAsAdmin(server.url);
    const templateId = await pushTemplate(client, "counting", counting);
    const workspace = await makeWorkspace(
      client,
      "counter",
      templateId,
      (one) => one.logs_length > 0,
    );
    const agent = firstAgent(workspace);
    if (agent === undefined) throw new Error("the workspace has no agent");
    const pid = await agentPid(agent.id);

    const followed = await follow(server.url, client.headers["Coder-Session-Token"] ?? "", dataDir);
    onTestFinished(() => followed.stop());
    for (let kill = 0; kill < kills; kill += 1) {
      await pause(Math.random() * 700);
      await server.end("SIGKILL");
      server = await startServerProcess({ dataDir, port });
    }

    expect(await agentPid(agent.id)).toBe(pid);
    expect(
      await readFile(join(dataDir, "workspaces", workspace.id, "home", "starts.txt"), "utf8"),
    ).toBe("started\n");
    // A line that was printed after the last start has arrived.
    const logs = await untilNewer(async () =>
      client.call(getAgentLogs, { params: { agent: agent.id } }),
    );
    const numbers = logs.map((log) => log.output);
    expect(numbers).toEqual(numbers.map((_, index) => `line ${index + 1}`));
    expect(logs.map((log) => log.id)).toEqual(logs.map((_, index) => index + 1));

    const seen = await followed.linesOf(numbers.length);
    expect(seen).toEqual(numbers);
  },
);

/** The agent's own process; its scripts carry its marks too, but run another program. */
async function agentPid(agentId: string): Promise<string> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const read = async (pid: string, file: string): Promise<string> =>
    readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
  const isAgent = async (pid: string): Promise<boolean> =>
    (await read(pid, "cmdline")).includes("agent.cjs") &&
    (await read(pid, "environ")).includes(agentId);
  const found: string[] = [];
  for (const pid of pids) if (await isAgent(pid)) found.push(pid);
  expect(found).toHaveLength(1);
  return found[0] ?? "";
}

async function untilNewer(read: () => Promise<readonly AgentLog[]>): Promise<readonly AgentLog[]> {
  const first = await read();
  for (;;) {
    const logs = await read();
    if (logs.length > first.length) return logs;
  }
}

interface LogFollower {
  readonly linesOf: (count: number) => Promise<readonly string[]>;
  readonly stop: () => void;
}

/** `slipway logs -f` in a separate process. */
async function follow(url: string, token: string, dataDir: string): Promise<LogFollower> {
  const configDir = join(dataDir, "command");
  const child = spawn(
    process.execPath,
    ["--conditions=@slipway/source", slipway, "logs", "-f", "counter"],
    {
      stdio: ["ignore", "pipe", "ignore"],
      env: {
        ...process.env,
        CODER_URL: url,
        CODER_SESSION_TOKEN: token,
        SLIPWAY_CONFIG_DIR: configDir,
      },
    },
  );
  const lines: string[] = [];
  let rest = "";
  child.stdout.on("data", (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) if (part.includes("] line ")) lines.push(part.replace(/^.*\] /, ""));
  });
  const ended = once(child, "exit").then(() => {
    throw new Error(`the follower ended after ${lines.length} lines`);
  });
  ended.catch(() => undefined);
  const linesOf = async (count: number): Promise<readonly string[]> => {
    while (lines.length < count) await Promise.race([once(child.stdout, "data"), ended]);
    return lines.slice(0, count);
  };
  await linesOf(1);
  return { linesOf, stop: () => child.kill() };
}
