import { printableLine } from "@slipway/runtime";

import { findProgram } from "../process/find-program.ts";
import { ProgramReader } from "../process/program-reader.ts";
import { type CommandHost, runCommand } from "../process/run-command.ts";
import type { PreparedCommand } from "../process/spawn-group.ts";
import { ContainerError } from "./errors.ts";

/** The programs that manage containers, the preferred one first. */
const programs = ["docker", "podman"] as const;

/** The variables of the workspace's agent, which are not for the programs of container engines (docs/protocol/agent.md §8.6). */
const withheld: ReadonlySet<string> = new Set([
  "CODER_WORKSPACE_AGENT_NAME",
  "CODER_WORKSPACE_AGENT_URL",
  "CODER_AGENT_URL",
  "CODER_AGENT_TOKEN",
  "CODER_AGENT_AUTH",
  "CODER_AGENT_SOCKET_PATH",
  "CODER_AGENT_DEVCONTAINERS_ENABLE",
  "CODER_AGENT_DEVCONTAINERS_PROJECT_DISCOVERY_ENABLE",
  "CODER_AGENT_DEVCONTAINERS_DISCOVERY_AUTOSTART_ENABLE",
]);

/** The default time for a command of an engine, such as a scan (docs/protocol/agent.md §8.6). */
const defaultTimeoutMs = 15_000;
const defaultMaxBytes = 1024 * 1024;
const maxErrorLength = 500;
/** The time from SIGHUP to SIGKILL. */
const killGraceMs = 1_000;

export interface EngineOptions {
  readonly commands: CommandHost;
  /** Prepares a command of the workspace, whose directory and environment the programs get. */
  readonly prepare: (text: string) => Promise<PreparedCommand>;
}

export interface RunEngineOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
  /** The maximum size of the output, or of a line of it (default: 1 MiB). */
  readonly maxBytes?: number;
  /** Receives the lines of the output, which are then not returned. */
  readonly onLine?: (line: string) => void;
  /** Receives the lines of stderr too. */
  readonly onErrorLine?: (line: string) => void;
  /** Resolves once the receiver of lines has room for more. */
  readonly room?: (signal: AbortSignal) => Promise<void>;
  /** Additional environment variables. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** The output of a program. */
export interface ProgramOutput {
  readonly exitCode: number;
  readonly stdout: string;
  /** Printable, one line. */
  readonly error: string;
}

/** The program of the machine's container engine, with the rights and the environment of the workspace's user. */
export class Engine {
  readonly #options: EngineOptions;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /** Resolves to whether the machine has the program of an engine. Starts no process. */
  async isInstalled(): Promise<boolean> {
    return (await this.#find(programs)) !== undefined;
  }

  /** Resolves to whether the workspace finds a program of this name. Starts no process. */
  async hasProgram(name: string): Promise<boolean> {
    return (await this.#find([name])) !== undefined;
  }

  /** Prepares a command of the engine, for example to run it on a terminal. Throws `ContainerError` "no-engine". */
  async prepare(args: readonly string[]): Promise<PreparedCommand> {
    const program = await this.#find(programs);
    if (program === undefined) {
      throw new ContainerError(
        "no-engine",
        "neither docker nor podman is installed in the workspace",
      );
    }
    return { ...(await this.#prepare()), file: program, args };
  }

  /**
   * Runs a command of the engine. Resolves to its output if it succeeds. Throws `ContainerError`, and the signal's
   * reason.
   */
  async run(args: readonly string[], options: RunEngineOptions): Promise<string> {
    const command = await this.prepare(args);
    const { exitCode, stdout, error } = await this.runProgram(command, options);
    if (exitCode === 0) return stdout;
    // Engines print on stdout that a container lacks a program.
    const said = error || printableLine(stdout.trim()).slice(0, maxErrorLength);
    throw new ContainerError("failed", said || `${args[0] ?? ""} ended with code ${exitCode}`);
  }

  /** Runs a program with the environment of the engine's. Throws `ContainerError`, and the signal's reason. */
  async runProgram(
    { file, args }: Pick<PreparedCommand, "file" | "args">,
    { signal, timeoutMs = defaultTimeoutMs, maxBytes = defaultMaxBytes, ...rest }: RunEngineOptions,
  ): Promise<ProgramOutput> {
    signal.throwIfAborted();
    const prepared = await this.#prepare();
    const environment = { ...prepared.environment, ...rest.environment };
    const output = new ProgramReader({ ...rest, maxBytes });
    const outcome = await runCommand({ file, args, cwd: prepared.cwd, environment }, this.#host, {
      timeoutMs,
      timeoutGraceMs: killGraceMs,
      stopGraceMs: killGraceMs,
      joinOutput: false,
      onOutput: async (stream, chunk, cut) => {
        output.take(stream, chunk);
        await rest.room?.(cut);
      },
      signal: AbortSignal.any([signal, output.excess]),
    });
    signal.throwIfAborted();
    const name = file.slice(file.lastIndexOf("/") + 1);
    switch (outcome.kind) {
      case "exited":
        return { exitCode: outcome.exitCode, ...output.end() };
      case "pipes-left-open":
        return { exitCode: 0, ...output.end() };
      case "signalled":
        throw new ContainerError("failed", `${name} was killed by ${outcome.signal}`);
      case "timed-out":
        throw new ContainerError(
          "timed-out",
          `${name} ${args[0] ?? ""} did not end within ${Math.ceil(timeoutMs / 1000)} s: check its daemon`,
        );
      case "stopped":
        throw new ContainerError(
          "too-large",
          `the output of ${name} ${args[0] ?? ""} has more than ${maxBytes} bytes`,
        );
      case "not-started":
        throw new ContainerError("failed", `cannot start ${name}`, { cause: outcome.error });
    }
  }

  get #host(): CommandHost {
    return this.#options.commands;
  }

  async #prepare(): Promise<PreparedCommand> {
    const command = await this.#options.prepare("true");
    const environment = Object.fromEntries(
      Object.entries(command.environment).filter(([name]) => !withheld.has(name)),
    );
    return { ...command, environment };
  }

  /** Finds the first of the programs on the workspace's PATH. */
  async #find(names: readonly string[]): Promise<string | undefined> {
    const { environment } = await this.#options.prepare("true");
    return findProgram(names, environment["PATH"]);
  }
}
