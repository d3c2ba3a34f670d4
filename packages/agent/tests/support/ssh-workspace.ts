import { type ChildProcess, spawn } from "node:child_process";
import { text } from "node:stream/consumers";

import { silentLogger, systemClock } from "@slipway/runtime";
import { onTestFinished } from "vitest";

import type { SshSettings } from "../../src/config/ssh-settings.ts";
import type { Service } from "../../src/connections/accepted-connection.ts";
import { DescriptorBudget } from "../../src/connections/descriptors.ts";
import { type ConnectionReport, SessionLog } from "../../src/connections/session-log.ts";
import { prepareCommand } from "../../src/process/workspace-commands.ts";
import { createSshService } from "../../src/ssh/ssh-service.ts";
import { openCommandHost } from "./command-host.ts";
import { listenOnLoopback } from "./loopback-service.ts";

/** The end of a program. */
export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | null;
}

export interface SshWorkspace {
  readonly port: number;
  /** Serves a connection that did not come by the port. */
  readonly accept: Service["accept"];
  readonly reports: readonly ConnectionReport[];
  readonly sessions: SessionLog;
  /** Ends the service, as the agent does when it shuts down. */
  readonly stop: () => void;
  /** Starts OpenSSH's client with these arguments after the options that reach the workspace. */
  readonly start: (
    args: readonly string[],
    options?: readonly string[],
    environment?: NodeJS.ProcessEnv,
  ) => ChildProcess;
  /** Runs it to its end. */
  readonly ssh: (args: readonly string[], input?: string | Buffer) => Promise<Ended>;
}

const defaultSettings: SshSettings = {
  maxTimeoutMs: 60_000,
  blockFileTransfer: false,
  blockLocalForwarding: false,
  blockReverseForwarding: false,
};

/** The options of OpenSSH's programs for a host whose key nobody has seen. */
export const sshOptions = [
  ["-F", "none"],
  ["-o", "StrictHostKeyChecking=no"],
  ["-o", "UserKnownHostsFile=/dev/null"],
  ["-o", "LogLevel=ERROR"],
].flat();

interface WorkspaceOptions {
  readonly settings?: Partial<SshSettings>;
  readonly directory?: string;
  readonly greeting?: string;
  readonly home?: string;
  /** The limit of open files, of which a quarter is for clients. */
  readonly descriptorLimit?: number;
}

/** Serves SSH on a port of the loopback interface until the test ends, for a workspace with almost no environment. */
export async function openSshWorkspace({
  settings = {},
  directory = "/",
  greeting = "",
  home = "/",
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
    sessions,
    descriptors: new DescriptorBudget(descriptorLimit),
    greeting: async () => greeting,
    settings: { ...defaultSettings, ...settings },
    logger: silentLogger,
  };
  const service = createSshService({ host, names: () => workspace, signal: stopping.signal });
  const port = await listenOnLoopback(service);
  const start: SshWorkspace["start"] = (args, options = [], environment = {}) => {
    const all = [...sshOptions, ...options, "-p", String(port), "127.0.0.1", ...args];
    const env = { ...process.env, ...environment };
    const child = spawn("ssh", all, { env, stdio: ["pipe", "pipe", "pipe"] });
    child.stdin.on("error", () => undefined);
    onTestFinished(() => void child.kill("SIGKILL"));
    return child;
  };
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

/** Collects the output of a program until it ends. */
export async function endOf(child: ChildProcess): Promise<Ended> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error("the output is not piped");
  const exited = new Promise<number | null>((resolve) => {
    child.once("exit", resolve);
  });
  const [out, err, exitCode] = await Promise.all([text(stdout), text(stderr), exited]);
  return { stdout: out, stderr: err, exitCode };
}
