import type { PreparedCommand } from "../process/spawn-group.ts";
import { type AgentProgram, launcher } from "./agent-program.ts";
import type { Engine } from "./engine.ts";

/** The directory of agents in a container. It belongs to root: the container's user cannot change their programs. */
const installDirectory = "/.slipway-agent";
const installTimeoutMs = 120_000;

/** Returns the place of a program in a container; another release has another one. */
export function placeOf({ id }: AgentProgram): string {
  return `${installDirectory}/${id}`;
}

/**
 * Copies the agent's program into a running container, unless it is there. A copy that was interrupted is not used: its last
 * step is to rename it. Rejects with `ContainerError`.
 */
export async function installAgent(
  engine: Engine,
  containerId: string,
  program: AgentProgram,
  signal: AbortSignal,
): Promise<void> {
  const place = placeOf(program);
  const options = { signal, timeoutMs: installTimeoutMs };
  const asRoot = (...words: readonly string[]): Promise<string> =>
    engine.run(["exec", "--user", "0", containerId, ...words], options);
  const found = await engine.runProgram(
    await engine.prepare([
      "exec",
      "--user",
      "0",
      containerId,
      "test",
      "-x",
      `${place}/${launcher}`,
    ]),
    options,
  );
  if (found.exitCode === 0) return;
  const part = `${place}.part`;
  await asRoot("rm", "-rf", part);
  await asRoot("mkdir", "-p", part);
  await engine.run(["cp", `${program.directory}/.`, `${containerId}:${part}`], options);
  await asRoot("chown", "-R", "0:0", part);
  await asRoot("chmod", "-R", "go-w,a+rX", part);
  await asRoot("mv", part, place);
}

/**
 * Runs a program until stdin ends, which happens when the agent outside or the connection to the engine ends, whatever the
 * reason: engines leave processes behind whose client has gone.
 */
const untilStdinEnds = `exec 3<&0
"$@" </dev/null &
program=$!
(cat <&3; kill -TERM $program) >/dev/null 2>&1 &
wait $program`;

interface AgentProcessOptions {
  readonly program: AgentProgram;
  readonly containerId: string;
  /** Empty for the user that the container runs as. */
  readonly user: string;
  readonly serverUrl: string;
  readonly token: string;
}

/** Prepares the agent of a container. Its token is in the environment, which others of the machine cannot read. */
export async function prepareAgent(
  engine: Engine,
  { program, containerId, user, serverUrl, token }: AgentProcessOptions,
): Promise<PreparedCommand> {
  const command = await engine.prepare([
    "exec",
    "--interactive",
    ...(user === "" ? [] : ["--user", user]),
    "--env",
    "CODER_AGENT_TOKEN",
    "--env",
    `CODER_AGENT_URL=${serverUrl}`,
    "--env",
    "CODER_AGENT_LOGGING_HUMAN=/dev/stderr",
    "--env",
    "CODER_AGENT_DEVCONTAINERS_ENABLE=false",
    containerId,
    "/bin/sh",
    "-c",
    untilStdinEnds,
    "sh",
    `${placeOf(program)}/${launcher}`,
    "agent",
  ]);
  return { ...command, environment: { ...command.environment, CODER_AGENT_TOKEN: token } };
}
