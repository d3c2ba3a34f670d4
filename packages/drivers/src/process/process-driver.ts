import { realpath } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { Clock, Logger } from "@slipway/runtime";
import { makeDirectories } from "@slipway/runtime/make-directories";
import type { Account } from "@slipway/runtime/ownership";

import type { DriverAgent, DriverBuild } from "../driver-build.ts";
import type {
  DriverLog,
  Driver,
  DriverPlan,
  DriverResult,
  ObserveInput,
  PlanInput,
  WorkspaceObservation,
} from "../driver.ts";
import { DriverError } from "../errors.ts";
import { agentEnvironment, defaultInheritedVariables } from "./agent-environment.ts";
import type { InheritedVariables } from "./agent-environment.ts";
import { namesIn, readRecords, removeRecord, writeRecord } from "./agent-record.ts";
import { encodeState, requireFileName, resourcesOf } from "./build-result.ts";
import { endAgents } from "./end-agents.ts";
import type { EndAgentsOptions } from "./end-agents.ts";
import { type InstalledPrograms, installPrograms } from "./install-programs.ts";
import { procTable } from "./proc-table.ts";
import { psTable } from "./ps-table.ts";
import { allowTraversalTo } from "./publish-commands.ts";
import { findAgents } from "./running-agent.ts";
import type { ProcessSelection, RunningAgent } from "./running-agent.ts";
import { hashToken } from "./running-process.ts";
import type { ProcessTable, RunningProcess } from "./running-process.ts";
import { spawnAgent } from "./spawn-agent.ts";
import type { UidRange } from "./user-assignments.ts";
import {
  makeWorkspace,
  removeWorkspace,
  workspaceDirectory,
  workspacePaths,
} from "./workspace-directory.ts";
import { machineDirectory, WorkspaceUsers } from "./workspace-users.ts";

export interface ProcessDriverOptions {
  /** The parent of each workspace's directory, itself in a directory of the server. */
  readonly workspacesDir: string;
  /** The directory for copies of programs that workspaces run and cannot read in their original place. */
  readonly runtimeDir: string;
  /**
   * The uids with which each workspace runs as its own user; requires a server running as root. Undefined to run as the
   * server's own user.
   */
  readonly users: UidRange | undefined;
  /** The agent's command line; its configuration is passed in the environment. */
  readonly agentCommand: readonly string[];
  /** Programs for workspaces, by name. */
  readonly programs: Readonly<Record<string, readonly string[]>>;
  readonly logger: Logger;
  readonly clock: Clock;
  /** True if the driver starts workspaces; running ones can be stopped in any case. */
  readonly isEnabled: boolean;
  /** The part of the server's environment passed to agents. */
  readonly inherited?: InheritedVariables;
  /** The machine's process table (default: the one for the operating system). */
  readonly table?: ProcessTable;
  /** The directory of the database that assigns users to workspaces. */
  readonly usersDirectory?: string;
}

const startStage = "Starting agents";

/**
 * Runs agents as processes on the server's own machine, for trials and tests. If the server is root, each workspace
 * runs as its own user, otherwise with the server's rights. Agents outlive the server; the next one finds them by their
 * marks.
 */
export class ProcessDriver implements Driver {
  readonly name = "process";
  readonly refusal: string | undefined;
  readonly #options: ProcessDriverOptions;
  readonly #table: ProcessTable;
  readonly #users: WorkspaceUsers | undefined;
  #installed: Promise<InstalledPrograms> | undefined;

  constructor(options: ProcessDriverOptions) {
    this.#options = options;
    this.refusal = options.isEnabled
      ? undefined
      : "is disabled on this server, because its scripts run on the server's machine; set SLIPWAY_PROCESS_DRIVER=true to enable it";
    const table = options.table ?? (process.platform === "linux" ? procTable() : psTable);
    const { users: range, usersDirectory = machineDirectory, workspacesDir } = options;
    const directories = [usersDirectory, join(workspacesDir, ".users")];
    this.#users = range && new WorkspaceUsers({ range, table, directories });
    this.#table = { ...table, list: () => this.#processes(table) };
  }

  async plan({ agents }: PlanInput): Promise<DriverPlan> {
    return { resources: resourcesOf(agents.map((agent) => agent.name)) };
  }

  async start(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult> {
    if (this.refusal !== undefined) {
      throw new DriverError("disabled", `the driver ${this.name} ${this.refusal}`);
    }
    build.agents.forEach(requireFileName);
    const directory = await this.#directoryOf(build.workspace.id);
    const running = await this.#endLeftovers(directory, build, log, signal);
    const user = await this.#prepare(directory, build, running, log, signal);
    const pids: Record<string, number> = {};
    for (const agent of build.agents) {
      signal.throwIfAborted();
      const present = running.get(hashToken(agent.token))?.process.pid;
      if (present !== undefined) {
        log.write(
          "info",
          startStage,
          `agent ${agent.name} is already running as process ${present}`,
        );
      }
      pids[agent.name] =
        present ?? (await this.#spawn(agent, { accessUrl: build.accessUrl, directory, user }, log));
    }
    return {
      state: encodeState(directory, pids),
      resources: resourcesOf(build.agents.map((agent) => agent.name)),
    };
  }

  async stop(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult> {
    const directory = await this.#directoryOf(build.workspace.id);
    await this.#stopAll(directory, build, log, signal);
    return { state: encodeState(directory, {}), resources: resourcesOf([]) };
  }

  async delete(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult> {
    const directory = await this.#directoryOf(build.workspace.id);
    await this.#stopAll(directory, build, log, signal);
    log.write("info", "Removing the workspace", `removing ${directory}`);
    await removeWorkspace(dirname(directory), directory);
    return { state: undefined, resources: [] };
  }

  async observe(
    { workspaceId, agents }: ObserveInput,
    signal: AbortSignal,
  ): Promise<WorkspaceObservation> {
    signal.throwIfAborted();
    const running = await this.#agentsIn(await this.#directoryOf(workspaceId));
    return {
      agents: agents.map(({ id, token }) => {
        const found = running.find(({ tokenHash }) => tokenHash === hashToken(token));
        if (found === undefined) return { id, status: "absent" };
        const { pid, startedAtMs } = found.process;
        return { id, status: "running", sinceMs: startedAtMs, place: `process ${pid}` };
      }),
    };
  }

  /** Ends all agents in `workspacesDir` concurrently, when a trial server shuts down. */
  async shutdownAll(options: {
    readonly signal: AbortSignal;
    readonly timeoutMs: number;
  }): Promise<void> {
    const root = await this.#root();
    const directories = await this.#workspaces();
    const records = await Promise.all(directories.map(readRecords));
    const uids = await Promise.all(
      directories.map(async (directory) => this.#users?.userOf(directory)),
    );
    await this.#end(
      {
        marks: (marks) => dirname(marks.directory) === root,
        uids: new Set(uids.filter((uid) => uid !== undefined)),
      },
      {
        records: records.flat(),
        timeoutMs: options.timeoutMs,
        report: (line) =>
          this.#options.logger.info({ line }, "stopping the agents on this machine"),
      },
      options.signal,
    );
  }

  /**
   * Ends processes that do not belong to this build: agents of earlier builds and leftovers of dead agents. Returns the
   * running agents of this build by token: a claimed workspace's agent has a new id and the old token.
   */
  async #endLeftovers(
    directory: string,
    build: DriverBuild,
    log: DriverLog,
    signal: AbortSignal,
  ): Promise<Map<string, RunningAgent>> {
    const wanted = new Set(build.agents.map(({ token }) => hashToken(token)));
    const running = (await this.#agentsIn(directory)).filter((agent) =>
      wanted.has(agent.tokenHash),
    );
    const keptIds = new Set(running.map(({ agentId }) => agentId));
    const all = await this.#allOf(directory);
    await this.#end(
      {
        marks: (marks) => all.marks(marks) && !keptIds.has(marks.agentId),
        // Processes of the agents that stay have the same user.
        uids: running.length === 0 ? all.uids : new Set(),
      },
      {
        records: await readRecords(directory),
        timeoutMs: build.limits.stopTimeoutMs,
        report: (line) => log.write("info", startStage, `earlier agent: ${line}`),
      },
      signal,
    );
    return new Map(running.map((agent) => [agent.tokenHash, agent]));
  }

  /**
   * Prepares the workspace for the missing agents, and resolves to the user they run as. Ends agents of another user,
   * from before workspaces had their own users, and removes them from `running`.
   */
  async #prepare(
    directory: string,
    build: DriverBuild,
    running: Map<string, RunningAgent>,
    log: DriverLog,
    signal: AbortSignal,
  ): Promise<Account | undefined> {
    if (build.agents.every(({ token }) => running.has(hashToken(token)))) {
      if (build.agents.length > 0) return undefined;
    }
    const user = await this.#users?.assign(directory);
    if (user !== undefined && running.values().some((agent) => agent.process.uid !== user.uid)) {
      log.write("info", startStage, "restarting the agents as the workspace's own user");
      await this.#stopAll(directory, build, log, signal);
      running.clear();
    }
    await makeWorkspace(directory, user);
    if (user !== undefined) {
      const root = dirname(directory);
      await allowTraversalTo(root, [dirname(root), root]);
    }
    return user;
  }

  async #spawn(
    agent: DriverAgent,
    { accessUrl, directory, user }: AgentLocation,
    log: DriverLog,
  ): Promise<number> {
    const { home, agentLog } = workspacePaths(directory);
    log.write("info", startStage, `starting agent ${agent.name} in ${home}`);
    // An old record would hide the new process if we crashed before writing the new record.
    await removeRecord(directory, agent.id);
    const inherited = this.#options.inherited ?? defaultInheritedVariables;
    const { agentCommand, programsDir } = await this.#install();
    const pid = await spawnAgent({
      command: agentCommand,
      environment: agentEnvironment(agent, accessUrl, directory, { inherited, user, programsDir }),
      directory: home,
      logPath: agentLog,
      user,
    });
    // It may have ended by now. The record then names no process, and prevents its children from being mistaken for it.
    const start = (await this.#table.find(pid))?.start ?? "";
    const tokenHash = hashToken(agent.token);
    await writeRecord({ agentId: agent.id, directory, tokenHash, pid, start });
    log.write("info", startStage, `agent ${agent.name} runs as process ${pid}`);
    this.#options.logger.debug({ agentId: agent.id, pid }, "started an agent process");
    return pid;
  }

  /** Installs the agent and the programs where workspaces can run them. */
  #install(): Promise<InstalledPrograms> {
    this.#installed ??= installPrograms({
      ...this.#options,
      isPublic: this.#users !== undefined,
    }).catch((error: unknown) => {
      this.#installed = undefined;
      throw error;
    });
    return this.#installed;
  }

  async #processes(table: ProcessTable): Promise<readonly RunningProcess[]> {
    const processes = await table.list();
    if (this.#users === undefined) return processes;
    return this.#users.withoutForgedMarks(processes, await this.#workspaces());
  }

  /** Returns the directories of all workspaces. */
  async #workspaces(): Promise<readonly string[]> {
    const root = await this.#root();
    return (await namesIn(root)).map((name) => join(root, name));
  }

  /** Selects every process of one workspace. */
  async #allOf(directory: string): Promise<ProcessSelection> {
    const uid = await this.#users?.userOf(directory);
    return {
      marks: (marks) => marks.directory === directory,
      uids: new Set(uid === undefined ? [] : [uid]),
    };
  }

  async #agentsIn(directory: string): Promise<RunningAgent[]> {
    const records = await readRecords(directory);
    const agents = findAgents(await this.#table.list(), records);
    return agents.filter((agent) => agent.directory === directory);
  }

  async #stopAll(
    directory: string,
    build: DriverBuild,
    log: DriverLog,
    signal: AbortSignal,
  ): Promise<void> {
    const report = (line: string): void => log.write("info", "Stopping agents", line);
    const records = await readRecords(directory);
    report("stopping the agents and everything they started");
    await this.#end(
      await this.#allOf(directory),
      { records, timeoutMs: build.limits.stopTimeoutMs, report },
      signal,
    );
    await Promise.all(records.map(async ({ agentId }) => removeRecord(directory, agentId)));
    report("all processes of the workspace have ended");
  }

  async #end(
    selects: EndAgentsOptions["selects"],
    options: Pick<EndAgentsOptions, "records" | "timeoutMs" | "report">,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#options;
    await endAgents({ ...options, selects, table: this.#table, clock }, signal);
  }

  async #directoryOf(workspaceId: string): Promise<string> {
    return workspaceDirectory(await this.#root(), workspaceId);
  }

  /** Resolves links in the path, so that it is the same for every server that uses it. */
  async #root(): Promise<string> {
    await makeDirectories(this.#options.workspacesDir, 0o700);
    return realpath(this.#options.workspacesDir);
  }
}

/** The directory and the user of an agent. */
interface AgentLocation {
  readonly accessUrl: string;
  readonly directory: string;
  readonly user: Account | undefined;
}
