import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../../..", import.meta.url));

/** The agent's bundle, once `buildAgent` has written it. */
export const agentProgram = fileURLToPath(import.meta.resolve("@slipway/agent/program"));

let built: Promise<unknown> | undefined;

/** Bundles the agent if its sources have changed since this process last did so. */
export async function buildAgent(): Promise<void> {
  built ??= promisify(execFile)(process.execPath, ["tools/build-agent.ts"], { cwd: root });
  await built;
}

export interface AgentEnvironmentOptions {
  readonly serverUrl: string;
  /** The token; undefined if `environment` configures another way to authenticate. */
  readonly token: string | undefined;
  /** The directory of the agent's files; its log is `coder-agent.log`. */
  readonly home: string;
  /** Additional variables. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Returns the variables of an agent that is isolated from the machine it runs on. */
export function agentEnvironment({
  serverUrl,
  token,
  home,
  environment,
}: AgentEnvironmentOptions): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    HOME: home,
    CODER_AGENT_URL: serverUrl,
    ...(token === undefined ? {} : { CODER_AGENT_TOKEN: token }),
    CODER_AGENT_LOG_DIR: home,
    CODER_AGENT_SCRIPT_DATA_DIR: join(home, "scripts"),
    // Not the socket that all agents of the machine share.
    CODER_AGENT_SOCKET_PATH: join(home, "agent.sock"),
    ...environment,
  };
}

/**
 * Starts the agent that `buildAgent` has written. The launcher is a prefix that runs the command elsewhere, such as
 * in a namespace. The caller stops the agent.
 */
export async function startAgentProcess(
  options: AgentEnvironmentOptions,
  launcher: readonly string[] = [],
): Promise<ChildProcess> {
  await mkdir(options.home, { recursive: true });
  const [command, ...args] = [...launcher, process.execPath, agentProgram];
  return spawn(command, args, {
    cwd: options.home,
    stdio: "ignore",
    env: agentEnvironment(options),
  });
}
