import { errorText, systemClock } from "@slipway/runtime";
import { ClientCertificateError, presentCertificateFiles } from "@slipway/sdk/node";

import {
  readAgentConfig,
  type AgentConfig,
  type Variables,
  agentVersion,
  AgentConfigError,
} from "../config/agent-config.ts";
import type { ShutdownSignals } from "../session/agent-life.ts";
import { limitYoungGeneration, saveMemory } from "./engine-flags.ts";
import { beginFirstDial } from "./first-dial.ts";
import { openLogger } from "./open-logger.ts";

export interface RunAgentOptions extends ShutdownSignals {
  /** Settings by the names of their variables; they take precedence over the environment. */
  readonly flags: Variables;
  readonly environment: Variables;
  /** Resolves at the first signal: the agent runs the stop scripts and sends its last messages. */
  readonly interrupted: Promise<"SIGINT" | "SIGTERM" | "SIGHUP">;
  /** Aborted at the second signal: the agent kills everything. */
  readonly forced: AbortSignal;
}

const exitCodes = { ok: 0, failed: 1 } as const;

/**
 * Runs an agent until it is told to end. Resolves to the exit code. A refused token or a lost server does not end it:
 * it logs the reason and tries again.
 */
export async function runAgent(options: RunAgentOptions): Promise<number> {
  const { flags, environment, interrupted, forced } = options;
  limitYoungGeneration();
  const savedMemory = saveMemory();
  let config: AgentConfig;
  let headers: Readonly<Record<string, string>>;
  try {
    config = readAgentConfig(flags, environment);
    await presentCertificate(config);
    headers = await readHeaders(config, environment);
  } catch (error) {
    if (!(error instanceof AgentConfigError)) throw error;
    process.stderr.write(`the agent cannot start: ${error.message}\n`);
    return exitCodes.failed;
  }
  using log = openLogger(config, () => systemClock.now());
  const { logger } = log;
  const { serverUrl, auth } = config;
  logger.info({ version: agentVersion, serverUrl }, "starting the agent");
  try {
    const firstDial =
      auth.kind === "token"
        ? await beginFirstDial({ serverUrl, token: auth.token, headers, logger })
        : undefined;
    // Most of the agent, which is loaded while the server prepares its answer.
    const { runLife } = await import("./run-life.ts");
    await runLife({
      config,
      headers,
      environment,
      logger,
      firstDial,
      savedMemory,
      interrupted,
      forced,
    });
  } catch (error) {
    logger.error({ error: errorText(error) }, "agent failed");
    return exitCodes.failed;
  }
  return forced.aborted ? exitCodes.failed : exitCodes.ok;
}

async function presentCertificate({ serverUrl, certificateFiles }: AgentConfig): Promise<void> {
  try {
    await presentCertificateFiles(serverUrl, certificateFiles);
  } catch (error) {
    if (error instanceof ClientCertificateError) throw new AgentConfigError([error.message]);
    throw error;
  }
}

/** Returns the headers of the settings, and those of the header command if there is one. */
async function readHeaders(
  config: AgentConfig,
  environment: Variables,
): Promise<Readonly<Record<string, string>>> {
  const { headerCommand, headers } = config;
  if (headerCommand === undefined) return headers;
  const { allHeaders } = await import("./header-command.ts");
  return allHeaders({ ...config, headerCommand }, environment);
}
