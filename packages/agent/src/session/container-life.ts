import { join } from "node:path";

import { errorText, type Logger, whenAborted } from "@slipway/runtime";
import type { AgentConnection } from "@slipway/sdk/agent";

import type { ContainerSettings } from "../config/container-settings.ts";
import type { AgentContainers } from "../containers/agent-containers.ts";
import type { ContainerFeature } from "../containers/container-feature.ts";
import { dataName } from "../process/private-directory.ts";
import type { CommandHost } from "../process/run-command.ts";
import type { LogQueue } from "../scripts/log-queue.ts";
import type { Script, ScriptTiming, StageResult } from "../scripts/script.ts";
import type { AgentManifest } from "./manifest.ts";
import { externalSourceId } from "./script-life.ts";
import { SubAgentCalls } from "./sub-agent-calls.ts";
import type { Workspace } from "./workspace.ts";

interface ContainerLifeNeeds {
  /** The first manifest of the session. */
  readonly manifest: AgentManifest;
  /** Undefined for an agent that leaves containers alone. */
  readonly settings: ContainerSettings | undefined;
  readonly workspace: Workspace;
  readonly commands: CommandHost;
  readonly logs: LogQueue;
  /** The directory of the agent's files. */
  readonly dataDir: string;
  /** Receives the runs of scripts that stand for dev containers. */
  readonly onCompleted: (timing: ScriptTiming) => void;
  readonly logger: Logger;
}

/** The containers of a session: loaded at their first use, followed from the end of the start scripts. */
export class ContainerLife {
  readonly #needs: ContainerLifeNeeds;
  readonly #scripts: ReadonlyMap<string, Script>;
  readonly #calls = new SubAgentCalls();
  #opened: Promise<AgentContainers> | undefined;
  #isClosed = false;

  constructor(needs: ContainerLifeNeeds) {
    this.#needs = needs;
    const { devcontainers, scripts } = needs.manifest;
    const ids = new Set(this.#isEnabled ? devcontainers.map(({ id }) => id) : []);
    this.#scripts = new Map(
      scripts.filter(({ id }) => ids.has(id)).map((script) => [script.id, script]),
    );
  }

  /** Returns the manifest without the scripts that stand for its dev containers (docs/protocol/agent.md §8.6). */
  withoutScripts(manifest: AgentManifest): AgentManifest {
    const scripts = manifest.scripts.filter(({ id }) => !this.#scripts.has(id));
    return { ...manifest, scripts };
  }

  /** Resolves to the containers, or to the reason why the agent leaves them alone. */
  async feature(): Promise<ContainerFeature> {
    const { settings, manifest } = this.#needs;
    if (manifest.isSubAgent) return { isEnabled: false, reason: "sub-agent" };
    if (settings === undefined) return { isEnabled: false, reason: "off" };
    return { isEnabled: true, access: await this.#open(settings) };
  }

  /** Creates the dev containers of the template one after the other, and begins to follow all. */
  async start(signal: AbortSignal): Promise<StageResult> {
    const { settings, manifest } = this.#needs;
    if (settings === undefined || manifest.isSubAgent) return "ok";
    if (manifest.devcontainers.length === 0) {
      // The agent is ready meanwhile.
      this.#begin(settings).catch((error: unknown) => {
        const { logger } = this.#needs;
        logger.error({ error: errorText(error) }, "agent runs without containers");
      });
      return "ok";
    }
    const containers = await this.#open(settings);
    let result: StageResult = "ok";
    for (const { id } of manifest.devcontainers) {
      if (signal.aborted || this.#isClosed) return "failed";
      if (!(await this.#startOne(containers, id, signal))) result = "failed";
    }
    await this.#begin(settings);
    return result;
  }

  /** Asks the server for sub-agents over a connection until the signal is aborted. */
  async run(connection: AgentConnection, signal: AbortSignal): Promise<void> {
    this.#calls.connection = connection;
    try {
      await whenAborted(signal);
    } finally {
      if (this.#calls.connection === connection) this.#calls.connection = undefined;
    }
  }

  /** Ends everything but the containers. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await (await this.#opened)?.close();
  }

  get #isEnabled(): boolean {
    return this.#needs.settings !== undefined && !this.#needs.manifest.isSubAgent;
  }

  async #begin(settings: ContainerSettings): Promise<void> {
    const containers = await this.#open(settings);
    if (!this.#isClosed) containers.begin(this.#needs.manifest.workspace.directory);
  }

  async #open(settings: ContainerSettings): Promise<AgentContainers> {
    this.#opened ??= this.#load(settings);
    return this.#opened;
  }

  async #load(settings: ContainerSettings): Promise<AgentContainers> {
    const { workspace, commands, logs, dataDir, logger, manifest } = this.#needs;
    const { AgentContainers: Containers } = await import("../containers/agent-containers.ts");
    const containers = new Containers({
      settings,
      commands,
      prepare: (text) => workspace.prepare(text),
      log: ({ id }, line) => logs.push(this.#sourceOf(id), "info", [line]),
      logRoom: (signal) => logs.room(signal),
      server: this.#calls,
      serverUrl: workspace.machine.inside.serverUrl,
      programDirectory: join(dataDir, dataName, "programs"),
      agentName: () => workspace.names.agentName,
      logger,
    });
    containers.declare(manifest.devcontainers);
    return containers;
  }

  async #startOne(containers: AgentContainers, id: string, signal: AbortSignal): Promise<boolean> {
    const { commands, onCompleted, logger } = this.#needs;
    const startMs = commands.clock.now();
    let isComplete = false;
    try {
      isComplete = await containers.start(id, signal);
    } catch (error) {
      logger.warn({ error: errorText(error), id }, "dev container not started");
    }
    if (this.#scripts.has(id)) {
      const status = isComplete ? "ok" : "exit-failure";
      const endMs = Math.max(startMs, commands.clock.now());
      const exitCode = isComplete ? 0 : 1;
      onCompleted({ scriptId: id, stage: "start", startMs, endMs, exitCode, status });
    }
    return isComplete;
  }

  #sourceOf(id: string): string {
    return this.#scripts.get(id)?.logSourceId ?? externalSourceId;
  }
}
