import { errorText, type Logger } from "@slipway/runtime";

import type { ContainerSettings } from "../config/container-settings.ts";
import type { CommandHost } from "../process/run-command.ts";
import type { PreparedCommand } from "../process/spawn-group.ts";
import { type PrepareInContainer, prepareInContainer } from "./container-commands.ts";
import type { ContainerList } from "./container.ts";
import { DevcontainerCli } from "./devcontainer-cli.ts";
import { DevcontainerOperations } from "./devcontainer-operations.ts";
import type { DeclaredDevcontainer, KnownDevcontainer } from "./devcontainers.ts";
import { discoverProjects } from "./discover-projects.ts";
import { DownloadedPrograms } from "./downloaded-programs.ts";
import { Engine } from "./engine.ts";
import { SubAgentSetup } from "./sub-agent-setup.ts";
import type { SubAgentServer } from "./sub-agent.ts";
import { SubAgents } from "./sub-agents.ts";
import { WorkspaceContainers } from "./workspace-containers.ts";

/** The operations on containers that clients request. */
export interface ContainerAccess {
  readonly list: (signal: AbortSignal) => Promise<ContainerList>;
  readonly watch: (signal: AbortSignal) => AsyncGenerator<ContainerList>;
  readonly recreate: (id: string) => KnownDevcontainer;
  readonly remove: (id: string) => Promise<void>;
  readonly prepare: PrepareInContainer;
}

export interface AgentContainersOptions {
  readonly settings: ContainerSettings;
  readonly commands: CommandHost;
  /** Prepares a command of the workspace. */
  readonly prepare: (text: string) => Promise<PreparedCommand>;
  /** Receives lines of the log of a dev container, which may belong to a script of the template. */
  readonly log: (devcontainer: KnownDevcontainer, line: string) => void;
  /** Resolves once the log has room. */
  readonly logRoom: (signal: AbortSignal) => Promise<void>;
  readonly server: SubAgentServer;
  readonly serverUrl: string;
  /** A directory of this user, for programs of agents that are downloaded. */
  readonly programDirectory: string;
  /** Returns the name of this agent. */
  readonly agentName: () => string;
  readonly logger: Logger;
}

/** The containers of an agent's workspace during a session. Its opener closes it. */
export class AgentContainers implements ContainerAccess, AsyncDisposable {
  readonly prepare: PrepareInContainer;
  readonly #options: AgentContainersOptions;
  readonly #engine: Engine;
  readonly #cli: DevcontainerCli;
  readonly #containers: WorkspaceContainers;
  readonly #operations: DevcontainerOperations;
  readonly #subAgents: SubAgents;
  readonly #declared = new Set<string>();

  constructor(options: AgentContainersOptions) {
    const { commands, logger } = options;
    this.#options = options;
    const engine = new Engine(options);
    this.#engine = engine;
    this.#cli = new DevcontainerCli(engine);
    this.#containers = new WorkspaceContainers({ engine, clock: commands.clock, logger });
    const programs = new DownloadedPrograms({
      serverUrl: options.serverUrl,
      directory: options.programDirectory,
    });
    const setup = new SubAgentSetup({ ...options, engine, cli: this.#cli, programs });
    this.#subAgents = new SubAgents({ ...options, containers: this.#containers, setup });
    this.#operations = new DevcontainerOperations({
      ...options,
      engine,
      cli: this.#cli,
      containers: this.#containers,
      endAgent: ({ id }) => this.#subAgents.end(id),
    });
    this.prepare = (target, text, wanted) => prepareInContainer(engine, target, text, wanted);
  }

  async list(signal: AbortSignal): Promise<ContainerList> {
    return this.#containers.list(signal);
  }

  watch(signal: AbortSignal): AsyncGenerator<ContainerList> {
    return this.#containers.watch(signal);
  }

  recreate(id: string): KnownDevcontainer {
    return this.#operations.recreate(id);
  }

  /** Removes a dev container, even if the client that asks for it leaves. */
  async remove(id: string): Promise<void> {
    await this.#operations.remove(id, this.#containers.signal);
  }

  /** Adds the dev containers of the template, which `start` creates. */
  declare(devcontainers: readonly DeclaredDevcontainer[]): void {
    for (const devcontainer of devcontainers) {
      this.#declared.add(devcontainer.id);
      this.#containers.devcontainers.declare(devcontainer);
    }
  }

  /** Creates a dev container of the template. Resolves to whether it runs and is complete. */
  async start(id: string, signal: AbortSignal): Promise<boolean> {
    const known = this.#containers.devcontainers.get(id);
    return this.#operations.start(known, AbortSignal.any([signal, this.#containers.signal]));
  }

  /** Looks for the dev containers of projects below the directory, and begins to follow all of them. */
  begin(directory: string): void {
    const { settings } = this.#options;
    this.#containers.begin((devcontainers) => this.#subAgents.follow(devcontainers));
    if (settings.discoversProjects) {
      this.#containers.run((signal) => this.#discover(directory, signal));
    }
  }

  /** Ends all scans, watches and operations. Containers continue to run. Idempotent. */
  async close(): Promise<void> {
    await this.#subAgents.close();
    await this.#containers.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #discover(directory: string, signal: AbortSignal): Promise<void> {
    const { settings } = this.#options;
    // Nothing can be created without an engine.
    if (!(await this.#engine.isInstalled())) return;
    for (const place of await discoverProjects(directory, this.#engine, signal)) {
      const id = this.#containers.devcontainers.discover(place);
      // Those of the template have been started.
      if (id === undefined || this.#declared.has(id)) continue;
      if (settings.startsDiscovered) await this.#startIfAsked(id, signal);
    }
    this.#containers.notify();
  }

  /** Starts a dev container if its configuration asks for it. One that runs gets what is missing, as after a claim. */
  async #startIfAsked(id: string, signal: AbortSignal): Promise<void> {
    const { devcontainers } = this.#containers;
    try {
      const known = devcontainers.get(id);
      const { customization } = await this.#cli.readConfiguration(known, {}, { signal });
      if (customization["autoStart"] !== true) return;
      await this.#operations.start(devcontainers.begin(id, "starting"), signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#options.logger.warn({ error: errorText(error) }, "dev container not started");
    }
  }
}
