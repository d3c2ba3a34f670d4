import { printableLine, type JsonObject, objectOf, parseObject, textOf } from "@slipway/runtime";

import type { DevcontainerPlace } from "./devcontainers.ts";
import type { Engine } from "./engine.ts";
import { ContainerError } from "./errors.ts";

/** The program of the package `@devcontainers/cli`. */
const program = "devcontainer";
const installHint =
  "the devcontainer command is not installed in the workspace: npm install --global @devcontainers/cli";

/** The time for a container to be built and started, and for its configuration to be read. */
const upTimeoutMs = 60 * 60_000;
const readTimeoutMs = 60_000;
/** The maximum size of a line of the program's log, and of its result. */
const maxLineBytes = 256 * 1024;
/** The least level of log lines that users see (docs/protocol/agent.md §8.7). */
const shownLevel = 3;
const maxErrorLength = 1000;

/** The result of `up`. */
export interface StartedDevcontainer {
  readonly containerId: string;
  readonly remoteUser: string;
  /** The folder of the project in the container. */
  readonly remoteFolder: string;
  /** The reason why a container that runs is not complete, such as a failed life-cycle command. */
  readonly error: string | undefined;
}

interface CliOptions {
  readonly signal: AbortSignal;
}

interface UpOptions extends CliOptions {
  /** True to replace the container, if there is one. */
  readonly isRecreated: boolean;
  /** The repository of the user's dotfiles; undefined for none. */
  readonly dotfiles: string | undefined;
  readonly onLog: (line: string) => void;
  /** Resolves once the log has room. */
  readonly room: (signal: AbortSignal) => Promise<void>;
}

/** The parts of a configuration that the agent uses. */
export interface DevcontainerConfig {
  /** `configuration.customizations.coder`, and each of `mergedConfiguration.customizations.coder`. */
  readonly customization: JsonObject;
  readonly mergedCustomizations: readonly JsonObject[];
  /** The options of the features, by their references. */
  readonly features: JsonObject;
  /** The folder of the project in the container; empty if it is unknown. */
  readonly remoteFolder: string;
}

/** The program `devcontainer`, run with the environment of the workspace (docs/protocol/agent.md §8.7). */
export class DevcontainerCli {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Creates and starts a dev container with all its life-cycle commands. Rejects with `ContainerError`: `no-engine` with
   * the way to install the program, `failed` if no container runs.
   */
  async up(
    place: DevcontainerPlace,
    { isRecreated, dotfiles, onLog, room, signal }: UpOptions,
  ): Promise<StartedDevcontainer> {
    const flags = [
      "--log-format",
      "json",
      ...(isRecreated ? ["--remove-existing-container"] : []),
      ...(dotfiles === undefined ? [] : ["--dotfiles-repository", dotfiles]),
    ];
    let result: StartedDevcontainer | ContainerError | undefined;
    const takeLine = (line: string): void => {
      const fields = parseLine(line);
      if (fields === undefined) return;
      if ("outcome" in fields) result = readResult(fields);
      const text = logText(fields);
      if (text !== undefined) onLog(text);
    };
    const { exitCode, error } = await this.#run("up", place, flags, {
      signal,
      timeoutMs: upTimeoutMs,
      onLine: takeLine,
      onErrorLine: takeLine,
      room,
    });
    if (result instanceof ContainerError) throw result;
    if (result !== undefined) return result;
    throw failure("up", exitCode, error);
  }

  /** Reads the configuration of a dev container, with what its image and features add. Rejects with `ContainerError`. */
  async readConfiguration(
    place: DevcontainerPlace,
    environment: Readonly<Record<string, string>>,
    { signal }: CliOptions,
  ): Promise<DevcontainerConfig> {
    let config: DevcontainerConfig | undefined;
    const flags = ["--include-merged-configuration"];
    const { exitCode, error } = await this.#run("read-configuration", place, flags, {
      signal,
      timeoutMs: readTimeoutMs,
      environment,
      onLine: (line) => {
        const fields = parseLine(line);
        if (fields !== undefined && "configuration" in fields) config = readConfig(fields);
      },
    });
    if (config !== undefined) return config;
    throw failure("read-configuration", exitCode, error);
  }

  async #run(
    command: string,
    { folder, configPath }: DevcontainerPlace,
    flags: readonly string[],
    options: Omit<Parameters<Engine["runProgram"]>[1], "maxBytes">,
  ): ReturnType<Engine["runProgram"]> {
    if (!(await this.#engine.hasProgram(program))) {
      throw new ContainerError("no-engine", installHint);
    }
    const config = configPath === undefined ? [] : ["--config", configPath];
    const args = [command, ...flags, "--workspace-folder", folder, ...config];
    return this.#engine.runProgram({ file: program, args }, { ...options, maxBytes: maxLineBytes });
  }
}

/** The line about its version with which the program begins. */
const banner = /^\[[^\]]*\] @devcontainers\/cli .*?(?:x64|arm64)\.\s*/;

function failure(command: string, exitCode: number, error: string): ContainerError {
  const reason = error.replace(banner, "");
  return new ContainerError(
    "failed",
    reason || `devcontainer ${command} ended with code ${exitCode}`,
  );
}

/** Returns the fields of a line of JSON; undefined for a line of another program. */
function parseLine(line: string): JsonObject | undefined {
  return line.startsWith("{") ? parseObject(line) : undefined;
}

/** Returns the text of a log line that users see. */
function logText({ type, level, text }: JsonObject): string | undefined {
  if (typeof text !== "string" || (type !== "text" && type !== "raw")) return undefined;
  return typeof level === "number" && level >= shownLevel ? text : undefined;
}

/** Reads the last line of `up`: with a container, an error only says that it is not complete. */
function readResult(fields: JsonObject): StartedDevcontainer | ContainerError {
  const texts = new Set([textOf(fields["message"]), textOf(fields["description"])]);
  const error = printableLine([...texts].filter(Boolean).join(": "));
  const isError = fields["outcome"] !== "success";
  const containerId = textOf(fields["containerId"]);
  if (containerId === "") {
    return new ContainerError(
      "failed",
      error.slice(0, maxErrorLength) || "no container was created",
    );
  }
  return {
    containerId,
    remoteUser: textOf(fields["remoteUser"]),
    remoteFolder: textOf(fields["remoteWorkspaceFolder"]),
    error: isError ? error.slice(0, maxErrorLength) || "unknown error" : undefined,
  };
}

function readConfig(fields: JsonObject): DevcontainerConfig {
  const customizations = (value: unknown): unknown =>
    objectOf(objectOf(value)["customizations"])["coder"];
  const merged = customizations(fields["mergedConfiguration"]);
  return {
    customization: objectOf(customizations(fields["configuration"])),
    mergedCustomizations: (Array.isArray(merged) ? merged : [merged]).map((one) => objectOf(one)),
    features: objectOf(objectOf(fields["mergedConfiguration"])["features"]),
    remoteFolder: textOf(objectOf(fields["workspace"])["workspaceFolder"]),
  };
}
