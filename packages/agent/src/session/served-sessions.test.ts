import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { silentLogger, systemClock } from "@slipway/runtime";
import { openSshOptions } from "@slipway/testkit/compliance";
import { Agent, Connection_Action, Connection_Type } from "@slipway/wire/protobuf/gen/agent_pb";
import { expect, it, onTestFinished } from "vitest";

import { openCommandHost } from "../../tests/support/command-host.ts";
import { listenOnLoopback } from "../../tests/support/loopback-service.ts";
import { ScriptedServer } from "../../tests/support/scripted-server.ts";
import { ServedSessions } from "./served-sessions.ts";
import { Workspace } from "./workspace.ts";

const network = {
  settings: {
    maxTimeoutMs: 60_000,
    blockFileTransfer: false,
    blockLocalForwarding: false,
    blockReverseForwarding: false,
  },
  ownPorts: new Set<number>(),
  netcheck: async () => ({}),
  ping: async () => undefined,
};

const announcements = { read: async () => [] };

function openWorkspace(): Workspace {
  const workspace = new Workspace({
    token: () => "the-token",
    user: { name: "u", home: "/", shell: "/bin/sh" },
    home: "/",
    environment: { PATH: process.env["PATH"] },
    binDirectory: "/nowhere",
    inside: {
      serverUrl: "http://slipway.test",
      socketPath: undefined,
      commandDirectory: undefined,
    },
  });
  workspace.update({
    workspaceName: "dev",
    agentName: "main",
    ownerName: "alice",
    workspaceId: "00000000-0000-0000-0000-000000000001",
    directory: "",
    vscodeProxyUri: "",
    motdPath: "",
    environment: { FROM: "the manifest" },
    secrets: {},
  });
  return workspace;
}

const containers = { feature: async () => ({ isEnabled: false, reason: "off" }) as const };

it("serves the workspace, and reports its sessions to the server, also later", async () => {
  using commands = openCommandHost();
  const needs = {
    workspace: openWorkspace(),
    announcements,
    commands,
    containers,
    dataDir: "/",
    logger: silentLogger,
  };
  const served = new ServedSessions(needs);
  onTestFinished(() => served.close());
  const services = await served.open(network);
  const ssh = services?.byPort.get(1);
  if (ssh === undefined) throw new Error("nothing serves port 1");
  const port = await listenOnLoopback(ssh);
  const args = [...openSshOptions, "-p", String(port), "127.0.0.1", "echo $FROM; exit 3"];
  await expect(promisify(execFile)("ssh", args)).rejects.toMatchObject({
    code: 3,
    stdout: "the manifest\n",
  });
  expect(served.counts.ssh).toBe(0);

  const server = new ScriptedServer();
  const reported: unknown[] = [];
  server.on(Agent.method.reportConnection, ({ connection }) => {
    reported.push([
      connection?.action,
      connection?.type,
      connection?.statusCode,
      connection?.reason,
    ]);
    return {};
  });
  const ended = new AbortController();
  const reporting = served.report(server.connect(), ended.signal).catch(() => undefined);
  await served.reported(AbortSignal.timeout(10_000));
  ended.abort();
  await reporting;
  expect(reported).toEqual([
    [Connection_Action.CONNECT, Connection_Type.SSH, 0, undefined],
    [Connection_Action.DISCONNECT, Connection_Type.SSH, 3, "exit status 3"],
  ]);
});

it("opens nothing once the agent's session is over", async () => {
  using commands = openCommandHost(systemClock);
  const served = new ServedSessions({
    workspace: openWorkspace(),
    announcements,
    commands,
    containers,
    dataDir: "/",
    logger: silentLogger,
  });
  served.close();
  expect(await served.open(network)).toBeUndefined();
});
