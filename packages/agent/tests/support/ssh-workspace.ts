import { silentLogger, systemClock } from "@slipway/runtime";
import { endOf, openSshAt, type ProgramEnd, type StartOpenSsh } from "@slipway/testkit/compliance";
import { onTestFinished } from "vitest";

import type { SshSettings } from "../../src/config/ssh-settings.ts";
import type { Service } from "../../src/connections/accepted-connection.ts";
import { DescriptorBudget } from "../../src/connections/descriptors.ts";
import { type ConnectionReport, SessionLog } from "../../src/connections/session-log.ts";
import type { ContainerSessions } from "../../src/containers/container-feature.ts";
import { prepareCommand } from "../../src/process/workspace-commands.ts";
import { createSshService } from "../../src/ssh/ssh-service.ts";
import { openCommandHost } from "./command-host.ts";
import { listenOnLoopback } from "./loopback-service.ts";

export interface SshWorkspace {
  readonly port: number;
  /** Serves a connection that did not arrive on the port. */
  readonly accept: Service["accept"];
  readonly reports: readonly ConnectionReport[];
  readonly sessions: SessionLog;
  /** Ends the service, as the agent does when it shuts down. */
  readonly stop: () => void;
  /** Starts OpenSSH's client with these arguments after the options that connect to the workspace. */
  readonly start: StartOpenSsh;
  /** Runs it to its end. */
  readonly ssh: (args: readonly string[], input?: string | Buffer) => Promise<ProgramEnd>;
}

const defaultSettings: SshSettings = {
  maxTimeoutMs: 60_000,
  blockFileTransfer: false,
  blockLocalForwarding: false,
  blockReverseForwarding: false,
};

interface WorkspaceOptions {
  readonly settings?: Partial<SshSettings>;
  readonly directory?: string;
  readonly greeting?: string;
  readonly home?: string;
  /** Off by default. */
  readonly containers?: ContainerSessions;
  /** The limit of open files, a quarter of which is for clients. */
  readonly descriptorLimit?: number;
}

/** Serves SSH on a port of the loopback interface until the test ends, for a workspace with almost no environment. */
export async function openSshWorkspace({
  settings = {},
  directory = "/",
  greeting = "",
  home = "/",
  containers = { isEnabled: false, reason: "off" },
  descriptorLimit = 20_000,
}: WorkspaceOptions = {}): Promise<SshWorkspace> {
  const commands = openCommandHost();
  const reports: ConnectionReport[] = [];
  const sessions = new SessionLog({
    report: (one) => void reports.push(one),
    now: () => systemClock.now(),
  });
  const stopping = new AbortController();
  onTestFinished(() => {
    stopping.abort();
    commands[Symbol.dispose]();
  });
  const context = {
    token: "the-token",
    user: { name: "u", home, shell: "/bin/sh" },
    environment: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: home },
    binDirectory: "/nowhere",
    inside: {
      serverUrl: "http://slipway.test",
      socketPath: undefined,
      commandDirectory: undefined,
    },
  };
  const workspace = {
    workspaceName: "dev",
    agentName: "main",
    ownerName: "alice",
    workspaceId: "00000000-0000-0000-0000-000000000001",
    directory,
    vscodeProxyUri: "",
    motdPath: "",
    environment: {},
    secrets: {},
  };
  const host = {
    prepare: (command: string, variables: object) =>
      prepareCommand(command, context, workspace, variables),
    commands,
    containers,
    sessions,
    descriptors: new DescriptorBudget(descriptorLimit),
    greeting: async () => greeting,
    settings: { ...defaultSettings, ...settings },
    logger: silentLogger,
  };
  const service = createSshService({ host, names: () => workspace, signal: stopping.signal });
  const port = await listenOnLoopback(service);
  const start = openSshAt(port);
  return {
    port,
    accept: (connection) => service.accept(connection),
    reports,
    sessions,
    stop: () => stopping.abort(),
    start,
    ssh: async (args, input) => {
      const options = args.filter((arg) => arg.startsWith("-"));
      const rest = args.filter((arg) => !arg.startsWith("-"));
      const child = start(rest, options);
      child.stdin?.end(input);
      return endOf(child);
    },
  };
}
