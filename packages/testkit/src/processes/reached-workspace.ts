import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Workspace } from "@slipway/api/workspaces/workspace";
import { ApiClient } from "@slipway/sdk/http";
import type { TcpStream } from "@slipway/tailnet/stack/tcp-stream";

import { openLocalServer } from "../servers/local-server.ts";
import { buildAgent, startAgentProcess } from "./agent-program.ts";
import { readAgentToken } from "./external-agent.ts";
import { logInAsAdmin } from "./log-in.ts";
import { type ServerProcess, startServerProcess } from "./server-process.ts";
import { pushTemplate } from "./template-upload.ts";
import { makeWorkspace, requireAgent, waitForWorkspace } from "./workspace-life.ts";

/**
 * The workspace `dev` of a new deployment. Its agent is a process of this machine, connected to the first replica;
 * clients reach an echo service through it. The opener disposes of it.
 */
export interface ReachedWorkspace extends AsyncDisposable {
  /** The directory of all files, removed at the end. */
  readonly directory: string;
  /** The replica to which the agent is connected. */
  readonly server: ServerProcess;
  /** The session token of the owner, an administrator. */
  readonly session: string;
  readonly agentId: string;
  readonly echoPort: number;
  /** Creates a client of the owner, for the first replica or another address. */
  openClient(serverUrl?: string): ApiClient;
  /** Waits until the agent is connected to the first replica. */
  untilConnected(): Promise<void>;
  /** Starts another replica. */
  startReplica(): Promise<ServerProcess>;
  /** Stops the first replica with a signal and starts it again at its address. */
  restartServer(signal: NodeJS.Signals): Promise<void>;
  /** Kills the agent and starts it again. */
  restartAgent(): Promise<void>;
}

const template = `
driver: external
agents:
  main: { os: linux, arch: amd64 }
`;

/** Starts everything, with these settings for each replica. Several replicas need a common SLIPWAY_POSTGRES_URL. */
export async function openReachedWorkspace(
  settings: Readonly<Record<string, string>> = {},
): Promise<ReachedWorkspace> {
  await using opening = new AsyncDisposableStack();
  let opened: AsyncDisposableStack = opening;
  const directory = await mkdtemp(join(tmpdir(), "slipway-reached-"));
  opening.defer(() => rm(directory, { recursive: true, force: true }));
  // Run as root, the embedded database runs under another account below this directory.
  await chmod(directory, 0o755);
  const environment = { SLIPWAY_SECRET_KEY: randomBytes(32).toString("hex"), ...settings };
  // The embedded database stops with its server, unless that is killed.
  const signal = "SLIPWAY_POSTGRES_URL" in environment ? "SIGKILL" : "SIGINT";
  const startServer = async (dataDir: string, port = 0): Promise<ServerProcess> => {
    const started = await startServerProcess({ dataDir, port, environment });
    opened.defer(() => started.end(signal));
    return started;
  };
  const firstDir = join(directory, "server");
  let server = await startServer(firstDir);
  const owner = await logInAsAdmin(server.url);
  const templateId = await pushTemplate(owner, "reached", template);
  const workspace = await makeWorkspace(owner, "dev", templateId, () => true);
  const token = await readAgentToken(owner, workspace.id);
  const { port: echoPort } = opening.use(
    await openLocalServer(createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket))),
  );
  await buildAgent();
  const startAgent = async (): Promise<ChildProcess> => {
    const place = { serverUrl: server.url, token, home: join(directory, "agent") };
    const started = await startAgentProcess(place);
    opened.defer(() => void started.kill("SIGKILL"));
    return started;
  };
  let agent = await startAgent();
  const session = owner.headers["Coder-Session-Token"] ?? "";
  const agentId = requireAgent(workspace).id;
  const openClient = (serverUrl = server.url): ApiClient =>
    new ApiClient({ serverUrl, token: session });
  opened = opening.move();
  return {
    directory,
    get server() {
      return server;
    },
    session,
    agentId,
    echoPort,
    openClient,
    untilConnected: async () => {
      const isConnected = (one: Workspace): boolean => requireAgent(one).status === "connected";
      await waitForWorkspace(openClient(), workspace.id, isConnected);
    },
    startReplica: async () => startServer(await mkdtemp(join(directory, "replica-"))),
    restartServer: async (by) => {
      await server.end(by);
      server = await startServer(firstDir, Number(new URL(server.url).port));
    },
    restartAgent: async () => {
      agent.kill("SIGKILL");
      await once(agent, "exit");
      agent = await startAgent();
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Sends a text to an echo service; resolves to the bytes that come back. Rejects when the connection closes early. */
export async function echoText(
  stream: TcpStream,
  text: string,
  signal: AbortSignal,
): Promise<string> {
  await stream.write(Buffer.from(text), signal);
  let received = "";
  while (received.length < text.length) {
    const part = await stream.read(signal);
    if (part === undefined) throw new Error("connection closed early");
    received += Buffer.from(part).toString();
  }
  return received;
}
