import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { openClient } from "../src/command/connect.ts";
import type { ClientNeeds } from "../src/command/needs.ts";
import { chooseAgent } from "../src/resources/network/agent-reference.ts";
import { runningWorkspace } from "../src/resources/network/running-workspace.ts";
import { waitForAgent } from "../src/resources/network/wait-for-agent.ts";
import { type CommandServer, openCommandServer } from "./support/command-server.ts";
import { type MemoryTerminal, memoryTerminal } from "./support/memory-terminal.ts";

/* The path to an agent, up to the network. */

const box = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";
const slow = `
driver: process
agents:
  main:
    os: linux
    arch: amd64
    scripts:
      prepare: { run_on: [start], run: "sleep 0.5; echo prepared", blocks_login: true }
`;

let commandServer: CommandServer;
beforeAll(async () => {
  commandServer = await openCommandServer();
  for (const [name, text] of Object.entries({ box, slow })) {
    await mkdir(join(commandServer.directory, name));
    await writeFile(join(commandServer.directory, name, "slipway.yaml"), text);
    expect(await slipway(`templates push @/${name}`)).toMatchObject({ code: 0 });
  }
});
afterAll(() => commandServer[Symbol.asyncDispose]());

function slipway(line: string): Promise<{ readonly code: number; readonly err: string }> {
  return commandServer.slipway(line);
}

function needsOf(terminal: MemoryTerminal): ClientNeeds {
  const { clock, signal } = commandServer.needs(terminal);
  const token = commandServer.admin.headers["Coder-Session-Token"];
  return { client: openClient(commandServer.server.url, token), terminal, clock, signal };
}

it("starts a stopped workspace, unless told not to", async () => {
  await slipway("create one -t box");
  await slipway("stop one");
  const terminal = memoryTerminal();
  const needs = needsOf(terminal);
  await expect(runningWorkspace("one", { autostart: false }, needs)).rejects.toThrow(
    "workspace admin/one is stopped",
  );
  const started = await runningWorkspace("one", { autostart: true }, needs);
  expect(terminal.errText()).toContain("admin/one is stopped, starting it\n");
  expect(started.latest_build).toMatchObject({ status: "running", reason: "ssh_connection" });
  // It is running now, so no build starts.
  const again = await runningWorkspace("one", { autostart: true }, needs);
  expect(again.latest_build.id).toBe(started.latest_build.id);
});

it("waits for a running start, and starts after a running stop", async () => {
  await slipway("create two -t box");
  await slipway("stop two --no-wait");
  const started = await runningWorkspace("two", { autostart: true }, needsOf(memoryTerminal()));
  expect(started.latest_build).toMatchObject({ status: "running", build_number: 3 });
  await slipway("stop two");
  await slipway("start two --no-wait");
  const waited = await runningWorkspace("two", { autostart: false }, needsOf(memoryTerminal()));
  expect(waited.latest_build).toMatchObject({ status: "running", build_number: 5 });
});

it("waits a while for an agent that a person has to start, as one starts over after a claim", async () => {
  await slipway("create three -t box");
  const terminal = memoryTerminal();
  const needs = needsOf(terminal);
  const workspace = await runningWorkspace("three", { autostart: true }, needs);
  const agent = chooseAgent(workspace, undefined);
  const leaving = new AbortController();
  const waiting = waitForAgent(workspace, agent, "auto", { ...needs, signal: leaving.signal });
  waiting.catch(() => undefined);
  await expect.poll(() => terminal.errText()).toContain("waiting for agent main to connect");
  leaving.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  // Much later, nothing is started any more.
  const later = { ...needs.clock, now: () => needs.clock.now() + 60_000 };
  await expect(waitForAgent(workspace, agent, "auto", { ...needs, clock: later })).rejects.toThrow(
    "agent main of admin/three has not connected yet",
  );
});

it("waits for start scripts that block logins, and shows their log", async () => {
  await slipway("create four -t slow --no-wait");
  const terminal = memoryTerminal();
  const needs = needsOf(terminal);
  const workspace = await runningWorkspace("four", { autostart: true }, needs);
  const agent = chooseAgent(workspace, undefined);
  await waitForAgent(workspace, agent, "no", needs);
  await waitForAgent(workspace, agent, "auto", needs);
  expect(terminal.errText()).toContain("prepared\n");
});
