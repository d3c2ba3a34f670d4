import { randomUUID } from "node:crypto";

import { objectOf, parseObject, textOf } from "@slipway/runtime";

import { buildCommand } from "../process/command.ts";
import type { PreparedCommand } from "../process/spawn-group.ts";
import { labels } from "./container.ts";
import type { Engine } from "./engine.ts";
import { ContainerError } from "./errors.ts";
import { type ContainerUser, findUser, isUserName } from "./passwd.ts";
import { type MetadataSource, remoteVariables } from "./remote-variables.ts";

/** The container that a session is for. */
export interface ContainerTarget {
  /** A name or an id. */
  readonly container: string;
  /** A name, a uid, or `uid:gid`; empty for the user that the container runs as. */
  readonly user: string;
}

export interface ContainerCommandOptions {
  /** True for a command on a terminal. */
  readonly hasTerminal: boolean;
  /** The variables that the client requests. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** Prepares a command in a container. Rejects with `ContainerError` if it cannot run there. */
export type PrepareInContainer = (
  target: ContainerTarget,
  text: string,
  options: ContainerCommandOptions,
) => Promise<PreparedCommand>;

/** A name that is neither a flag nor a path. */
const containerName = /^[A-Za-z0-9][\w.-]{0,255}$/;
const variableName = /^[A-Za-z_]\w*$/;
/** Marks the processes of a session. */
const sessionVariable = "SLIPWAY_CONTAINER_SESSION";
/** Hangs up the processes of a session. */
const endSession = `for process in /proc/[0-9]*; do
  tr "\\0" "\\n" <"$process/environ" 2>/dev/null | grep -qx "${sessionVariable}=$1" &&
    kill -HUP "\${process#/proc/}"
done`;
/**
 * Runs a command of the engine. If that is hung up, it hangs up the processes in the container, which would survive:
 * engines do not end what a client has started. The shell's own message about the hang-up, whose reader has gone, must not end it.
 */
const hangUp = `trap end=1 HUP TERM PIPE
session=$1 container=$2
shift 2
"$@"
code=$?
if [ -n "\${end-}" ]; then
  "$1" exec --user 0 "$container" sh -c '${endSession}' sh "$session" </dev/null >/dev/null 2>&1
fi
exit $code`;
/** The maximum size of the descriptions that a container's creator and its image determine. */
const maxBytes = 1024 * 1024;

/**
 * Prepares a command in a container, in the home and with the shell of its user there, and with the variables of its
 * dev container (docs/protocol/agent.md §8.8). An empty text is the login shell.
 */
export async function prepareInContainer(
  engine: Engine,
  { container, user: wanted }: ContainerTarget,
  text: string,
  { hasTerminal, variables, signal }: ContainerCommandOptions,
): Promise<PreparedCommand> {
  if (!containerName.test(container)) {
    throw new ContainerError(
      "unknown",
      `${JSON.stringify(container)} is not the name of a container`,
    );
  }
  const source = await describeContainer(engine, container, signal);
  const user = await userIn(engine, container, wanted, signal);
  const session = randomUUID();
  const given = { ...remoteVariables(source), ...variables, [sessionVariable]: session };
  const environment = Object.entries(given).flatMap(([name, value]) =>
    value === undefined || !variableName.test(name) || value.includes("\0")
      ? []
      : ["--env", `${name}=${value}`],
  );
  const { file, args } = buildCommand(user.shell, text);
  const command = await engine.prepare([
    "exec",
    "--interactive",
    ...(hasTerminal ? ["--tty"] : []),
    "--user",
    user.name,
    "--workdir",
    user.home,
    ...environment,
    container,
    file,
    ...args,
  ]);
  const words = ["-c", hangUp, "sh", session, container, command.file, ...command.args];
  return { ...command, file: "/bin/sh", args: words };
}

/** Reads the metadata and the environment of a running container. Rejects with `ContainerError`. */
export async function describeContainer(
  engine: Engine,
  container: string,
  signal: AbortSignal,
): Promise<MetadataSource> {
  const format =
    '{"running":{{json .State.Running}},"labels":{{json .Config.Labels}},"env":{{json .Config.Env}}}';
  const args = ["inspect", "--type", "container", "--format", format, container];
  const command = await engine.prepare(args);
  const { exitCode, stdout, error } = await engine.runProgram(command, { signal, maxBytes });
  if (exitCode !== 0) {
    throw /no such (?:object|container)/i.test(error)
      ? new ContainerError("unknown", `there is no container ${container}`)
      : new ContainerError("failed", error);
  }
  return readDescription(container, stdout);
}

function readDescription(container: string, json: string): MetadataSource {
  const description = parseObject(json);
  if (description === undefined) {
    throw new ContainerError("malformed", "the description of the container is not a JSON object");
  }
  const { running, labels: given, env } = description;
  if (running !== true) throw new ContainerError("failed", `container ${container} does not run`);
  return {
    metadata: textOf(objectOf(given)[labels.metadata]),
    containerEnvironment: Array.isArray(env)
      ? env.filter((entry) => typeof entry === "string")
      : [],
  };
}

async function userIn(
  engine: Engine,
  container: string,
  wanted: string,
  signal: AbortSignal,
): Promise<ContainerUser> {
  const ask = ["exec", container, "sh", "-c", "whoami 2>/dev/null || id -u"];
  const name = wanted || (await engine.run(ask, { signal })).trim();
  if (!isUserName(name)) {
    throw new ContainerError("unknown", `${JSON.stringify(name)} is not the name of a user`);
  }
  const passwd = await engine.run(["exec", container, "cat", "/etc/passwd"], { signal, maxBytes });
  return findUser(passwd, name);
}
