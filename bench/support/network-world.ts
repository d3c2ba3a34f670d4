import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { ApiClient } from "@slipway/sdk/http";
import {
  logInAsAdmin,
  pushTemplate,
  requireAgent,
  type ServerProcess,
  startAgentProcess,
  startServerProcess,
  waitForWorkspace,
} from "@slipway/testkit";
import { internetAddresses, type Laboratory } from "@slipway/testkit/netlab";

import { makeExternalWorkspace } from "../../interop/support/external-workspace.ts";
import { runStockAgent } from "../../interop/support/run-stock-agent.ts";
import type { ReachCommand } from "./network-commands.ts";
import { openDirectory } from "./our-server.ts";

/** Waits until the agent of a workspace has connected; resolves to the agent's id. */
export async function connectedAgent(client: ApiClient, workspaceId: string): Promise<string> {
  const workspace = await waitForWorkspace(client, workspaceId, (one) => {
    return requireAgent(one).status === "connected";
  });
  return requireAgent(workspace).id;
}

const template = `
driver: external
agents:
  main: { os: linux, arch: amd64 }
`;

/** A workspace whose agent runs in a separate process. */
export interface ReachedWorkspace {
  /** The name of the agent's program. */
  readonly name: string;
  readonly workspace: string;
  readonly workspaceId: string;
  readonly pid: number;
}

/** A server in a separate process, with agents and commands that reach them. */
export interface NetworkWorld {
  readonly server: ServerProcess;
  readonly client: ApiClient;
  /** Starts an agent: a stock program, or ours if none is given. */
  openAgent(name: string, program: string | undefined): Promise<ReachedWorkspace>;
  /** Prepares a command: a stock program, or ours if none is given. */
  openCommand(name: string, program: string | undefined): Promise<ReachCommand>;
}

/** The places of agents and commands, as command prefixes, and the server's addresses for them and for this process. */
interface Places {
  readonly agent: readonly string[];
  readonly command: readonly string[];
  readonly serverUrl: string;
  readonly doorUrl: string;
}

/**
 * Opens everything on this machine; it closes with `opened`. The launcher is a prefix for agents and commands, and
 * `environment` has additional variables of the server (default: none).
 */
export async function openNetworkWorld(
  opened: AsyncDisposableStack,
  {
    launcher = [],
    environment = {},
  }: {
    readonly launcher?: readonly string[];
    readonly environment?: Readonly<Record<string, string>>;
  } = {},
): Promise<NetworkWorld> {
  const dataDir = await openDirectory(opened);
  const server = opened.use(await startServerProcess({ dataDir, port: 0, environment }));
  const { url } = server;
  const places = { agent: launcher, command: launcher, serverUrl: url, doorUrl: url };
  return openWorld(opened, server, places, dataDir);
}

const laboratoryPort = 3_000;

/**
 * Opens the server on the internet of a laboratory, the agents on its host `near`, and the commands on its host
 * `far`.
 */
export async function openNetworkWorldIn(
  opened: AsyncDisposableStack,
  laboratory: Laboratory,
): Promise<NetworkWorld> {
  const dataDir = await openDirectory(opened);
  const address = `${internetAddresses[0]}:${String(laboratoryPort)}`;
  const serverUrl = `http://${address}`;
  const server = opened.use(
    await startServerProcess({
      dataDir,
      port: laboratoryPort,
      launcher: laboratory.internet.launcher,
      environment: { SLIPWAY_HTTP_ADDRESS: address, SLIPWAY_ACCESS_URL: serverUrl },
    }),
  );
  const places = {
    agent: laboratory.host("near").namespace.launcher,
    command: laboratory.host("far").namespace.launcher,
    serverUrl,
    doorUrl: (await laboratory.openDoor(laboratoryPort)).url,
  };
  return openWorld(opened, server, places, dataDir);
}

async function openWorld(
  opened: AsyncDisposableStack,
  server: ServerProcess,
  { agent: launcher, command, serverUrl, doorUrl }: Places,
  directory: string,
): Promise<NetworkWorld> {
  const client = await logInAsAdmin(doorUrl);
  const templateId = await pushTemplate(client, "network", template);
  return {
    server,
    client,
    openAgent: async (agentName, program) => {
      const { id, name, token } = await makeExternalWorkspace(client, templateId, agentName);
      const place = { serverUrl, token, home: join(directory, name) };
      const agent =
        program === undefined
          ? await startAgentProcess(place, launcher)
          : await runStockAgent({ ...place, program, launcher });
      opened.defer(() => void agent.kill("SIGKILL"));
      return { name: agentName, workspace: name, workspaceId: id, pid: agent.pid ?? 0 };
    },
    openCommand: (name, program) =>
      installCommand(client, { name, program, launcher: command, serverUrl, directory }),
  };
}

const ours = fileURLToPath(import.meta.resolve("@slipway/cli/program"));

/**
 * Prepares a command with a client's session and its own home below a directory: a stock program, or ours if none is
 * given.
 */
export async function installCommand(
  client: ApiClient,
  {
    name,
    program,
    launcher = [],
    serverUrl = client.serverUrl,
    directory,
  }: {
    readonly name: string;
    readonly program?: string | undefined;
    readonly launcher?: readonly string[];
    readonly serverUrl?: string;
    readonly directory: string;
  },
): Promise<ReachCommand> {
  const home = join(directory, `command-${name}`);
  await mkdir(home, { recursive: true });
  const environment = {
    PATH: process.env["PATH"],
    HOME: home,
    CODER_CONFIG_DIR: home,
    CODER_URL: serverUrl,
    CODER_SESSION_TOKEN: client.headers["Coder-Session-Token"],
  };
  const words = program === undefined ? [process.execPath, ours] : [program];
  const [first = "", ...rest] = [...launcher, ...words];
  return { name, words: [first, ...rest], environment };
}
