import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { AgentLog } from "@slipway/api/agents/log-routes";
import { getAgentLogs } from "@slipway/api/agents/log-routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import type { ApiClient } from "@slipway/sdk/http";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import {
  logInAsAdmin,
  makeWorkspace,
  openTestDatabase,
  pushTemplate,
  requireAgent,
  type ServerProcess,
  startServerProcess,
  waitForWorkspace,
} from "../../src/index.ts";

/*
 * Scripts that misbehave, in real agents of a real server: each ends in a state that shows it, with the reason in the
 * log, and without affecting another workspace.
 */

interface BadScript {
  readonly run: string;
  readonly timeout?: string;
  readonly lifecycle: WorkspaceAgent["lifecycle_state"];
  readonly status: string;
  readonly exitCode: number;
  /** The log, without the parts that are too long to show here. */
  readonly log: readonly string[];
}

const ready = { lifecycle: "ready", status: "ok", exitCode: 0 } as const;
const startScripts: Readonly<Record<string, BadScript>> = {
  fails: {
    run: "echo on; exit 3",
    lifecycle: "start_error",
    status: "exit_failure",
    exitCode: 3,
    log: ["on", "script exited with code 3"],
  },
  hangs: {
    run: "echo on; sleep 600",
    timeout: "1s",
    lifecycle: "start_timeout",
    status: "timed_out",
    exitCode: 255,
    log: ["on", "script did not end within 1 s and was killed"],
  },
  "hangs-on": {
    run: "trap '' HUP TERM INT; echo on; while :; do sleep 1; done",
    timeout: "1s",
    lifecycle: "start_timeout",
    status: "timed_out",
    exitCode: 255,
    log: ["on", "script did not end within 1 s and was killed"],
  },
  "is-killed": {
    run: "echo on; kill -KILL $$",
    lifecycle: "start_error",
    status: "exit_failure",
    exitCode: -1,
    log: ["on", "script was killed by SIGKILL"],
  },
  "leaves-a-child": { run: "sleep 600 >/dev/null 2>&1 & echo on", ...ready, log: ["on"] },
  "leaves-a-pipe": {
    run: "sleep 600 & echo on",
    lifecycle: "start_error",
    status: "pipes_left_open",
    exitCode: 255,
    log: [
      "on",
      "script exited, but something it started kept its output open for 10 s more; send the output of background processes elsewhere",
    ],
  },
  "is-no-text": {
    run: String.raw`printf 'a\377b\000c\n'`,
    ...ready,
    log: ["a❌b❌c"],
  },
};

const opened = new AsyncDisposableStack();
let server: ServerProcess;
let client: ApiClient;

beforeAll(async () => {
  const database = opened.use(await openTestDatabase(inject("postgresUrl")));
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-bad-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const environment = { SLIPWAY_POSTGRES_URL: database.url };
  server = opened.use(await startServerProcess({ dataDir, port: 0, environment }));
  client = await logInAsAdmin(server.url);
  const greeting = await template("greets", { start: "echo hello" });
  await makeWorkspace(client, "beside", greeting, isDone);
});

afterAll(() => opened.disposeAsync());

/** Creates a template of the driver `process` with these scripts; resolves to its id. */
function template(
  name: string,
  scripts: { readonly start: string; readonly stop?: string; readonly timeout?: string },
): Promise<string> {
  const { start, stop: stopping = "true", timeout = "0s" } = scripts;
  const script = (stage: string, run: string) => ({ run_on: [stage], run, timeout });
  const main = {
    os: "linux",
    arch: "amd64",
    scripts: { start: script("start", start), stop: script("stop", stopping) },
  };
  // JSON is valid YAML.
  return pushTemplate(client, name, JSON.stringify({ driver: "process", agents: { main } }));
}

function isDone({ lifecycle_state: state }: WorkspaceAgent): boolean {
  return state !== "created" && state !== "starting";
}

/** The agent reports the end of its script beside its own state, so that either may come first. */
function hasReported(agent: WorkspaceAgent): boolean {
  return isDone(agent) && agent.scripts[0]?.status !== undefined;
}

async function readLog(agent: string): Promise<readonly AgentLog[]> {
  return client.call(getAgentLogs, { params: { agent } });
}

/** Stops a workspace; resolves to its agent when the build has ended. */
async function stop(workspace: string, agent: string): Promise<string> {
  const params = { workspace };
  await client.call(createBuild, { params, body: { transition: "stop" } });
  await waitForWorkspace(client, workspace, (found) => found.latest_build.status === "stopped");
  return agent;
}

describe("a start script that", () => {
  it.concurrent.each(Object.entries(startScripts))("%s", async (name, script) => {
    const { run: start, timeout = "0s" } = script;
    const templateId = await template(name, { start, timeout });
    const workspace = await makeWorkspace(client, name, templateId, hasReported);
    const agent = requireAgent(workspace);
    expect(agent.status).toBe("connected");
    expect(agent.lifecycle_state).toBe(script.lifecycle);
    expect(agent.scripts[0]).toMatchObject({ status: script.status, exit_code: script.exitCode });
    expect((await readLog(agent.id)).map((log) => log.output)).toEqual(script.log);
    await stop(workspace.id, agent.id);
    expect(processesOf(agent.id)).toEqual([]);
  });
});

/** Lists the running processes that a workspace's driver or agent has started. */
function processesOf(agent: string): readonly number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => environmentOf(pid).includes(`SLIPWAY_PROCESS=${agent}`)).map(Number);
}

function environmentOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    // The process has exited or belongs to another user.
    return [];
  }
}
