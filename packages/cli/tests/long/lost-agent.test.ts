import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";

import { getWorkspaceByName } from "@slipway/api/workspaces/routes";
import { type Clock, systemClock } from "@slipway/runtime";
import { buildAgent, readAgentToken, startAgentProcess, waitForWorkspace } from "@slipway/testkit";
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from "vitest";

import { openClient } from "../../src/command/connect.ts";
import { runCommandLine } from "../../src/command/run-command-line.ts";
import { commandTable } from "../../src/gen/command-table.ts";
import { type CommandServer, openCommandServer } from "../support/command-server.ts";
import { memoryTerminal } from "../support/memory-terminal.ts";

/* Commands whose agent disappears without a goodbye, and whose workspace is then stopped. */

const template = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";

let commandServer: CommandServer;
beforeAll(async () => {
  await buildAgent();
  commandServer = await openCommandServer();
  await mkdir(join(commandServer.directory, "far"));
  await writeFile(join(commandServer.directory, "far", "slipway.yaml"), template);
  expect(await commandServer.slipway("templates push @/far")).toMatchObject({ code: 0 });
  expect(await commandServer.slipway("create far -t far --no-wait")).toMatchObject({ code: 0 });
});
afterAll(() => commandServer[Symbol.asyncDispose]());

/** Time that passes ten times as fast. */
const clock: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 10, signal) };

let agent: ChildProcess;
beforeEach(async () => {
  expect(await commandServer.slipway("start far --no-wait")).toMatchObject({ code: 0 });
  const { server, admin, directory } = commandServer;
  const client = openClient(server.url, admin.headers["Coder-Session-Token"]);
  const { id } = await client.call(getWorkspaceByName, {
    params: { user: "me", name: "far" },
  });
  await waitForWorkspace(client, id, ({ latest_build: build }) => build.status === "running");
  const token = await readAgentToken(client, id);
  agent = await startAgentProcess({ serverUrl: server.url, token, home: join(directory, "home") });
  onTestFinished(async () => {
    const ended = once(agent, "exit");
    agent.kill("SIGKILL");
    await ended;
  });
});

it.each([
  ["ssh far -- echo begun; sleep 60", "begun", 255],
  ["ssh far --stdio", "SSH-2.0", 255],
  ["speedtest far -t 60s", "testing the download", 1],
])("ends %s", async (line, begun, exitCode) => {
  const memory = memoryTerminal();
  // No input arrives.
  const raw = { ...memory.raw(), input: new PassThrough() };
  const code = runCommandLine(commandTable, line.split(" "), {
    ...commandServer.needs({ ...memory, raw: () => raw }),
    clock,
  });
  const printed = (): string => `${memory.outText()}${memory.errText()}`;
  await expect.poll(printed, { timeout: 20_000 }).toContain(begun);
  agent.kill("SIGSTOP");
  expect(await commandServer.slipway("stop far")).toMatchObject({ code: 0 });
  expect(await code).toBe(exitCode);
  expect(memory.errText()).toContain("workspace admin/far has been stopped or restarted");
});
