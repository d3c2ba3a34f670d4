import { errorText, type Logger, systemClock } from "@slipway/runtime";
import { homeDirectory } from "@slipway/runtime/home-directory";
import { dialAgent, InstanceCredential, openSession, waitForReinit } from "@slipway/sdk/agent";

import type { AgentConfig, Variables } from "../config/agent-config.ts";
import { makeCommandPrograms } from "../process/command-programs.ts";
import { ProcessError } from "../process/errors.ts";
import { temporaryDataDirectory } from "../process/private-directory.ts";
import { currentUser, type User } from "../process/user.ts";
import { scriptBinDirectory } from "../scripts/script-directories.ts";
import { ScriptRunner } from "../scripts/script-runner.ts";
import { AgentLife, type ShutdownSignals } from "../session/agent-life.ts";
import type { Dial } from "../session/keep-connected.ts";
import { givenToken, type Credential, askAsAgent } from "../session/reinit/ask-as-agent.ts";
import { decide } from "../session/reinit/identity.ts";
import type { OpenSocket } from "../session/socket-life.ts";
import type { AgentMachine } from "../session/workspace.ts";
import type { SavedMemory } from "./engine-flags.ts";
import type { FirstDial } from "./first-dial.ts";

/** The answers to a run that is left with the server: it was stored, or must come again in a moment. */
const [stored, tooMany] = [204, 429];
/** The time after which the server accepts more. */
const keepAgainMs = 1_000;

export interface RunLifeOptions extends ShutdownSignals {
  readonly config: AgentConfig;
  readonly headers: Readonly<Record<string, string>>;
  readonly environment: Variables;
  readonly logger: Logger;
  /** The pending dial; undefined if the agent must get its token first. */
  readonly firstDial: FirstDial | undefined;
  readonly savedMemory: SavedMemory;
}

/** Runs a configured agent until it is told to end. */
export async function runLife(options: RunLifeOptions): Promise<void> {
  const { config, headers, environment, logger, firstDial, savedMemory } = options;
  const { serverUrl } = config;
  const credential = credentialOf(config, headers);
  const dataDir = config.scriptDataDir ?? (await temporaryDataDirectory());
  const commandDirectory = await commandDirectoryOf(dataDir, environment, logger);
  const life = new AgentLife({
    // A token may have ended with its build (docs/protocol/agent.md §1.3).
    dial: after(firstDial, async (signal) =>
      dialAgent({
        serverUrl,
        token: await credential.refresh(signal),
        headers,
        role: "agent",
        signal,
        clock: systemClock,
        logger,
        onRung: (rung) => logger.debug({ rung }, "rung reached"),
      }),
    ),
    waitForReinit: askAsAgent(credential, (token, signal) =>
      waitForReinit({ serverUrl, token, headers, clock: systemClock, signal }),
    ),
    decide,
    openScripts: ({ manifest, host, onCompleted }) =>
      new ScriptRunner(
        manifest.scripts,
        { ...host, onMuchOutput: savedMemory.optimize },
        onCompleted,
      ),
    network: {
      settings: config.ssh,
      open: async (agentId, manifest) => {
        const { AgentNetwork } = await import("../network/agent-network.ts");
        return AgentNetwork.open({
          ...manifest,
          agentId,
          serverUrl,
          headers,
          udpPort: config.udpPort,
          onConnection: savedMemory.speedUp,
          clock: systemClock,
          logger,
        });
      },
    },
    openSocket: socketOf(config),
    containers: config.containers,
    keepRun: async (kept, signal) => {
      const { keepRun } = await import("@slipway/sdk/agent");
      const token = credential.current() ?? "";
      for (;;) {
        const status = await keepRun(kept, { serverUrl, token, headers, signal });
        if (status !== tooMany) return status === stored;
        await systemClock.sleep(keepAgainMs, signal);
      }
    },
    endStrays: async (marks, signal) => {
      const { endMarked } = await import("../process/marked-processes.ts");
      return endMarked(marks, systemClock, signal);
    },
    serverUrl,
    machine: machineOf({ ...config, dataDir }, credential, environment, commandDirectory),
    directories: { dataDir, logDir: config.logDir },
    subsystems: config.subsystems,
    clock: systemClock,
    logger,
    random: Math.random,
  });
  await life.run(options);
}

/** Dials as `dial` does, but starts with the pending dial. */
function after(firstDial: FirstDial | undefined, dial: Dial): Dial {
  let first = firstDial;
  return async (signal) => {
    if (first === undefined) return dial(signal);
    const socket = first(signal);
    first = undefined;
    return openSession(await socket, systemClock);
  };
}

function credentialOf(
  { auth, serverUrl }: AgentConfig,
  headers: Readonly<Record<string, string>>,
): Credential {
  switch (auth.kind) {
    case "token":
      return givenToken(auth.token);
    case "instance": {
      const { cloud, metadataUrl, agentName } = auth;
      const clock = systemClock;
      return new InstanceCredential({ serverUrl, headers, cloud, metadataUrl, agentName, clock });
    }
  }
}

function socketOf({ socketPath: path }: AgentConfig): OpenSocket | undefined {
  if (path === undefined) return undefined;
  // Loaded before the first script needs the socket.
  const loaded = import("../socket/agent-socket.ts");
  return async (options) => {
    const { AgentSocketServer } = await loaded;
    return AgentSocketServer.open({ ...options, path });
  };
}

/** Installs the command for the workspace. The agent runs without it if that fails. */
async function commandDirectoryOf(
  dataDir: string,
  environment: Variables,
  logger: Logger,
): Promise<string | undefined> {
  const agentProgram = process.argv[1] ?? process.execPath;
  try {
    return await makeCommandPrograms({ environment, dataDir, agentProgram });
  } catch (error) {
    logger.warn({ error: errorText(error) }, "cannot install the slipway command");
    return undefined;
  }
}

function machineOf(
  config: AgentConfig & { readonly dataDir: string },
  credential: Credential,
  environment: Variables,
  commandDirectory: string | undefined,
): AgentMachine {
  return {
    // A command needs a manifest, and a manifest a token.
    token: () => credential.current() ?? "",
    user: userOrReason(environment),
    home: homeDirectory(environment),
    environment,
    binDirectory: scriptBinDirectory(config.dataDir),
    inside: { serverUrl: config.serverUrl, socketPath: config.socketPath, commandDirectory },
  };
}

/** Returns the user, or the reason why it cannot run commands, which the scripts' logs report. */
function userOrReason(environment: Variables): User | ProcessError {
  try {
    return currentUser(environment);
  } catch (error) {
    if (error instanceof ProcessError) return error;
    throw error;
  }
}
