import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { ApiClient } from "@slipway/sdk/http";
import {
  logInAsAdmin,
  pushTemplate,
  type ServerProcess,
  startAgentProcess,
  startServerProcess,
} from "@slipway/testkit";
import { internetAddresses, type Laboratory } from "@slipway/testkit/netlab";

import { makeExternalWorkspace } from "../../interop/support/external-workspace.ts";
import { runStockAgent } from "../../interop/support/run-stock-agent.ts";
import type { ReachCommand } from "./network-commands.ts";

const template = `
driver: external
agents:
  main: { os: linux, arch: amd64 }
`;

/** A workspace whose agent runs in a process of its own. */
export interface ReachedWorkspace {
  /** The name of the agent's program. */
  readonly name: string;
  readonly workspace: string;
  readonly workspaceId: string;
  readonly pid: number;
}

/** A server in a process of its own, with agents and commands that reach them. */
export interface NetworkWorld extends AsyncDisposable {
  readonly server: ServerProcess;
  readonly client: ApiClient;
  /** Starts an agent: a stock program, or ours without one. */
  openAgent(name: string, program: string | undefined): Promise<ReachedWorkspace>;
  /** Prepares a command: a stock program, or ours without one. */
  openCommand(name: string, program: string | undefined): Promise<ReachCommand>;
}

/** The places of server, agents and commands: one machine, or hosts of a laboratory. */
interface Places {
  readonly agent: readonly string[];
  readonly command: readonly string[];
  readonly serverUrl: string;
  /** The server's URL for this process. */
  readonly doorUrl: string;
}

/**
 * Opens all on this machine. The launcher has the words before agents and commands, and `environment` additional variables
 * of the server (default: none).
 */
export async function openNetworkWorld(
  launcher: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<NetworkWorld> {
  const opened = new AsyncDisposableStack();
  const directory = await openDirectory(opened);
  const server = opened.use(await startServerProcess({ dataDir: directory, port: 0, environment }));
  const { url } = server;
  const places = { agent: launcher, command: launcher, serverUrl: url, doorUrl: url };
  return openWorld(server, places, { opened, directory });
}

const laboratoryPort = 3_000;

/** Opens the server on the internet of a laboratory, the agents on its host `near`, the commands on its host `far`. */
export async function openNetworkWorldIn(laboratory: Laboratory): Promise<NetworkWorld> {
  const opened = new AsyncDisposableStack();
  const directory = await openDirectory(opened);
  const address = `${internetAddresses[0]}:${String(laboratoryPort)}`;
  const serverUrl = `http://${address}`;
  const server = opened.use(
    await startServerProcess({
      dataDir: directory,
      port: laboratoryPort,
      launcher: laboratory.internet.launcher,
      environment: { SLIPWAY_HTTP_ADDRESS: address, SLIPWAY_ACCESS_URL: serverUrl },
    }),
  );
  const launcherOf = (name: string): readonly string[] => laboratory.host(name).namespace.launcher;
  const places = {
    agent: launcherOf("near"),
    command: launcherOf("far"),
    serverUrl,
    doorUrl: (await laboratory.openDoor(laboratoryPort)).url,
  };
  return openWorld(server, places, { opened, directory });
}

async function openDirectory(opened: AsyncDisposableStack): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-bench-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function openWorld(
  server: ServerProcess,
  { agent: agentLauncher, command: commandLauncher, serverUrl, doorUrl }: Places,
  { opened, directory }: { readonly opened: AsyncDisposableStack; readonly directory: string },
): Promise<NetworkWorld> {
  const client = await logInAsAdmin(doorUrl);
  const templateId = await pushTemplate(client, "network", template);
  const ours = fileURLToPath(import.meta.resolve("@slipway/cli/program"));
  return {
    server,
    client,
    openAgent: async (agentName, program) => {
      const { id, name, token } = await makeExternalWorkspace(client, templateId, agentName);
      const place = { serverUrl, token, home: join(directory, name) };
      const agent =
        program === undefined
          ? await startAgentProcess(place, agentLauncher)
          : await runStockAgent({ ...place, program, launcher: agentLauncher });
      opened.defer(() => void agent.kill("SIGKILL"));
      return { name: agentName, workspace: name, workspaceId: id, pid: agent.pid ?? 0 };
    },
    openCommand: async (name, program) => {
      const home = join(directory, `command-${name}`);
      await mkdir(home, { recursive: true });
      const environment = {
        PATH: process.env["PATH"],
        HOME: home,
        CODER_CONFIG_DIR: home,
        CODER_URL: serverUrl,
        CODER_SESSION_TOKEN: client.headers["Coder-Session-Token"],
      };
      const [first = "", ...rest] = [
        ...commandLauncher,
        ...(program === undefined ? [process.execPath, ours] : [program]),
      ];
      return { name, words: [first, ...rest], environment };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
