import { type Clock, type Logger, withDeadline } from "@slipway/runtime";
import type { AgentConnection } from "@slipway/sdk/agent";

import type { ContainerSettings } from "../config/container-settings.ts";
import type { Marks } from "../process/marked-processes.ts";
import type { OutputPipes } from "../process/output-pipes.ts";
import { ProcessGroups } from "../process/process-groups.ts";
import type { KeepRun } from "../runs/leave-runs.ts";
import { LogQueue } from "../scripts/log-queue.ts";
import type { ScriptHost } from "../scripts/run-script.ts";
import type { ScriptDirectories } from "../scripts/script-directories.ts";
import type { ScriptTiming, ScriptStages, StageResult } from "../scripts/script.ts";
import { Announcements } from "./announcements.ts";
import { ContainerLife } from "./container-life.ts";
import { Lifecycle } from "./lifecycle.ts";
import type { AgentManifest } from "./manifest.ts";
import { NetworkLife, type NetworkLifeNeeds } from "./network-life.ts";
import { Outbox } from "./outbox.ts";
import {
  farewellRoutines,
  lastingRoutines,
  watchingRoutines,
  type RoutineParts,
} from "./routines.ts";
import { ScriptLife } from "./script-life.ts";
import { serveConnection } from "./serve-connection.ts";
import { ServedSessions } from "./served-sessions.ts";
import { type OpenSocket, SocketLife } from "./socket-life.ts";
import { Workspace, type AgentMachine } from "./workspace.ts";

/** The options of a session. */
export interface AgentSessionOptions {
  readonly openScripts: OpenScripts;
  readonly machine: AgentMachine;
  readonly directories: ScriptDirectories;
  /** Undefined for an agent without a network. */
  readonly network: NetworkSettings | undefined;
  /** Undefined for an agent without a socket for programs of its workspace. */
  readonly openSocket: OpenSocket | undefined;
  /** Undefined for an agent that leaves containers alone. */
  readonly containers: ContainerSettings | undefined;
  readonly endStrays: EndStrays;
  readonly keepRun: KeepRun;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The means of joining the network, and the limits of the services there. */
export type NetworkSettings = Pick<NetworkLifeNeeds, "open" | "settings">;

/**
 * Ends the processes of an owner's commands that have left their groups, such as daemons. Resolves to the pids of those that
 * survive.
 */
export type EndStrays = (marks: Marks, signal: AbortSignal) => Promise<readonly number[]>;

/** Prepares the scripts of a session; nothing runs yet. */
export type OpenScripts = (input: OpenScriptsInput) => ScriptStages;

export interface OpenScriptsInput {
  /** The first manifest of the session: its scripts, and their owner. */
  readonly manifest: AgentManifest;
  readonly host: ScriptHost;
  /** Receives each run of a script. */
  readonly onCompleted: (timing: ScriptTiming) => void;
}

/** The maximum number of undelivered timings; further ones are dropped. */
const maxTimings = 4096;
/** The time from SIGHUP to SIGKILL for the background processes of scripts. */
const leftoverGraceMs = 2_000;
/** The time for the stop scripts while the next owner waits. */
const maxLeavingMs = 30_000;

/**
 * An agent's session for one owner: from the start scripts of its first manifest to the stop scripts of the same
 * manifest, over any number of connections. It ends once, by `end` or `leave`; after that comes `flush`. Its opener
 * disposes of it.
 */
export class AgentSession implements Disposable {
  readonly #parts: RoutineParts;
  readonly #scripts: ScriptLife;
  readonly #endStrays: EndStrays;
  readonly #keepRun: KeepRun;
  readonly #stopping = new AbortController();
  readonly #silent = new AbortController();
  #manifest: AgentManifest;
  #isLeaving = false;

  /** `pipes` outlive the session, so that the next one's first script need not wait for new ones. */
  constructor(manifest: AgentManifest, options: AgentSessionOptions, pipes: OutputPipes) {
    const { clock, logger, machine, directories, openScripts, openSocket, endStrays } = options;
    this.#endStrays = endStrays;
    this.#keepRun = options.keepRun;
    const logs = new LogQueue(clock);
    const lifecycle = new Lifecycle(clock);
    const timings = new Outbox<ScriptTiming>(maxTimings, clock);
    const workspace = new Workspace(machine);
    const commands = { clock, groups: new ProcessGroups(clock), pipes };
    const announcements = new Announcements(clock, logger);
    const timed = (timing: ScriptTiming): void => {
      if (!timings.put(timing)) logger.warn({ scriptId: timing.scriptId }, "timing dropped");
    };
    const containers = new ContainerLife({
      manifest,
      settings: options.containers,
      workspace,
      commands,
      logs,
      dataDir: directories.dataDir,
      onCompleted: timed,
      logger,
    });
    const served = new ServedSessions({
      workspace,
      announcements,
      commands,
      containers,
      dataDir: directories.dataDir,
      logger,
    });
    const network = options.network && new NetworkLife({ ...options.network, served, logger });
    const socket = openSocket && new SocketLife({ open: openSocket, logger });
    this.#parts = {
      logs,
      lifecycle,
      timings,
      announcements,
      served,
      network,
      socket,
      containers,
      workspace,
      commands,
      logger,
    };
    this.#manifest = manifest;
    workspace.update(manifest.workspace);
    const stages = openScripts({
      manifest: containers.withoutScripts(manifest),
      host: {
        commands,
        prepare: (text, extra) => workspace.prepare(text, { extra }),
        logs,
        directories,
        home: machine,
        logger,
      },
      onCompleted: timed,
    });
    const afterScripts = (signal: AbortSignal): Promise<StageResult> => containers.start(signal);
    this.#scripts = new ScriptLife({ stages, lifecycle, clock, logger, logs, afterScripts });
  }

  /** True if it has nothing more to report. */
  get isSilent(): boolean {
    return this.#silent.signal.aborted;
  }

  /** The sessions of its users over the network, which end with it. */
  get served(): ServedSessions {
    return this.#parts.served;
  }

  /**
   * Runs the start scripts, closes the network of the previous session, and opens its own. Drops the states of the
   * previous session that have not reached the server: they no longer apply.
   */
  begin(before: AgentSession | undefined): void {
    if (before !== undefined) before.#parts.lifecycle.forget();
    this.#parts.socket?.begin();
    this.#scripts.begin();
    const begin = (): void => {
      const { agentId, network } = this.#manifest;
      this.#parts.network?.begin(agentId, network);
    };
    if (before === undefined) begin();
    else void before.closeNetwork().then(begin);
  }

  /** Closes the network, if there is one. Idempotent. */
  async closeNetwork(): Promise<void> {
    await this.#parts.network?.close();
  }

  /** Applies a later manifest's view of the workspace; the scripts stay those of the first. */
  update(manifest: AgentManifest): void {
    // A later build of the same owner, whose start this process missed: the scripts do not run again.
    const isNext =
      manifest.agentId !== this.#manifest.agentId && isOfSameOwner(manifest, this.#manifest);
    if (isNext) this.#parts.lifecycle.repeat();
    this.#manifest = manifest;
    this.#parts.workspace.update(manifest.workspace);
    this.#parts.network?.follow(manifest.agentId, manifest.network);
  }

  /** Serves a connection until the session has nothing more to report. Rejects if the connection is lost first. */
  async serve(connection: AgentConnection, signal: AbortSignal): Promise<void> {
    const routines = this.#isLeaving
      ? farewellRoutines(this.#parts)
      : [...lastingRoutines(this.#parts), ...watchingRoutines(this.#parts, this.#manifest)];
    await serveConnection(connection, routines, {
      stopping: this.#stopping.signal,
      done: this.#silent.signal,
      signal,
      logger: this.#parts.logger,
    });
  }

  /** Ends everything but the network, and runs the stop scripts. No process of the session survives. */
  async end(signal: AbortSignal): Promise<void> {
    this.#stopping.abort();
    this.served.close();
    await this.#scripts.end(signal);
    await this.#parts.containers.close();
    await this.#parts.commands.groups.endAll(leftoverGraceMs, signal);
    await this.served.leaveRuns(this.#keepRun, signal);
    await this.served.forgetRuns();
    await this.#parts.socket?.close();
  }

  /**
   * Ends because the agent now belongs to another user, who must not wait long: not even for the network, which no
   * longer serves anyone and which `closeNetwork` closes. Do not call it while it serves a connection. Descendants of
   * its commands would run with the next owner's rights, so all that can be found are ended (docs/prebuilds.md).
   */
  async leave(signal: AbortSignal): Promise<void> {
    const { lifecycle, socket, containers, commands, workspace, logger } = this.#parts;
    this.#isLeaving = true;
    this.#stopping.abort();
    this.served.close();
    lifecycle.forget();
    await withDeadline(maxLeavingMs, commands.clock, (limit) =>
      this.#scripts.end(AbortSignal.any([signal, limit])),
    );
    const groups = commands.groups.endAll(leftoverGraceMs, signal);
    await Promise.all([containers.close(), groups, socket?.close()]);
    await this.served.forgetRuns();
    const left = await this.#endStrays(workspace.marks, signal);
    if (left.length > 0) logger.warn({ pids: left }, "processes of the previous owner survive");
  }

  /** Leaves the network and waits up to `limitMs` for the last messages to reach the server. It is silent afterwards. */
  async flush(limitMs: number, signal: AbortSignal): Promise<void> {
    const { logs, lifecycle, timings, served, commands } = this.#parts;
    const delivered = withDeadline(limitMs, commands.clock, async (limit) => {
      const either = AbortSignal.any([signal, limit]);
      await Promise.all([
        logs.flush(either),
        timings.drained(either),
        served.reported(either),
        lifecycle.reported(either),
      ]);
    });
    await Promise.all([delivered, this.closeNetwork()]);
    this.#silent.abort();
  }

  [Symbol.dispose](): void {
    this.#silent.abort();
    this.served.close();
    void this.#parts.network?.close();
    void this.#parts.socket?.close();
    void this.#parts.containers.close();
    this.#parts.commands.groups.killAll();
  }
}

function isOfSameOwner(one: AgentManifest, other: AgentManifest): boolean {
  return one.workspace.ownerName === other.workspace.ownerName;
}
