import { errorText, systemClock } from "@slipway/runtime";
import { dialAgent, InstanceCredential, waitForReinit } from "@slipway/sdk/agent";

import { readAgentConfig } from "../config/agent-config.ts";
import type { AgentConfig, Variables } from "../config/agent-config.ts";
import { agentVersion } from "../config/agent-version.ts";
import { AgentConfigError } from "../config/errors.ts";
import { ProcessError } from "../process/errors.ts";
import { currentUser, homeDirectory } from "../process/user.ts";
import type { User } from "../process/user.ts";
import { scriptBinDirectory } from "../scripts/script-directories.ts";
import { ScriptRunner } from "../scripts/script-runner.ts";
import { AgentLife } from "../session/agent-life.ts";
import type { ShutdownSignals } from "../session/agent-life.ts";
import { givenToken } from "../session/credential.ts";
import type { Credential } from "../session/credential.ts";
import { askAsAgent } from "../session/reinit/ask-as-agent.ts";
import { decide } from "../session/reinit/identity.ts";
import type { AgentMachine } from "../session/workspace.ts";
import { allHeaders } from "./header-command.ts";
import { openLogger } from "./open-logger.ts";

export interface RunAgentOptions extends ShutdownSignals {
  /** Settings by the names of their variables; they win over the environment. */
  readonly flags: Variables;
  readonly environment: Variables;
  /** Resolves at the first signal: stop scripts run, last messages are sent. */
  readonly interrupted: Promise<"SIGINT" | "SIGTERM" | "SIGHUP">;
  /** Aborted at the second: everything is killed. */
  readonly forced: AbortSignal;
}

const exitCodes = { ok: 0, failed: 1 } as const;

/**
 * Runs an agent until it is told to end; resolves with the exit code. Neither a refused token nor a lost server ends it:
 * it says why on its log and tries again.
 */
export async function runAgent(options: RunAgentOptions): Promise<number> {
  const { flags, environment, interrupted, forced } = options;
  let config: AgentConfig;
  let headers: Readonly<Record<string, string>>;
  try {
    config = readAgentConfig(flags, environment);
    headers = await allHeaders(config, environment);
  } catch (error) {
    if (!(error instanceof AgentConfigError)) throw error;
    process.stderr.write(`the agent cannot start: ${error.message}\n`);
    return exitCodes.failed;
  }
  using log = openLogger(config, () => systemClock.now());
  const { logger } = log;
  const { serverUrl } = config;
  const credential = credentialOf(config, headers);
  logger.info({ version: agentVersion, serverUrl }, "agent starts");
  const life = new AgentLife({
    // A token may have ended with its build (docs/protocol/agent.md §1.3).
    dial: async (signal) =>
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
    waitForReinit: askAsAgent(credential, (token, signal) =>
      waitForReinit({ serverUrl, token, headers, clock: systemClock, signal }),
    ),
    decide,
    openScripts: ({ manifest, host, onCompleted }) =>
      new ScriptRunner(manifest.scripts, host, onCompleted),
    serverUrl,
    machine: machineOf(config, credential, environment),
    directories: { dataDir: config.scriptDataDir, logDir: config.logDir },
    subsystems: config.subsystems,
    clock: systemClock,
    logger,
    random: Math.random,
  });
  try {
    await life.run({ interrupted, forced });
  } catch (error) {
    logger.error({ error: errorText(error) }, "agent failed");
    return exitCodes.failed;
  }
  return forced.aborted ? exitCodes.failed : exitCodes.ok;
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

function machineOf(
  config: AgentConfig,
  credential: Credential,
  environment: Variables,
): AgentMachine {
  return {
    // Commands come with a manifest, and that with a token.
    token: () => credential.current() ?? "",
    user: userOrReason(environment),
    home: homeDirectory(environment),
    environment,
    binDirectory: scriptBinDirectory(config.scriptDataDir),
  };
}

/** Finds the user. Without a shell the agent still connects, and reports it in the scripts' logs. */
function userOrReason(environment: Variables): User | ProcessError {
  try {
    return currentUser(environment);
  } catch (error) {
    if (error instanceof ProcessError) return error;
    throw error;
  }
}
