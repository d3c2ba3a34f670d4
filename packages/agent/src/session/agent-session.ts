import { abortable, whenAborted } from "@slipway/runtime";
import type { Clock, Logger } from "@slipway/runtime";
import type { AgentConnection } from "@slipway/sdk/agent";

import type { Subsystem } from "../config/agent-config.ts";
import { OutputPipes } from "../process/output-pipes.ts";
import { ProcessGroups } from "../process/process-groups.ts";
import { LogQueue } from "../scripts/log-queue.ts";
import type { ScriptDirectories } from "../scripts/script-directories.ts";
import type { ScriptTiming } from "../scripts/script-result.ts";
import { handleManifest } from "./handle-manifest.ts";
import { keepConnected } from "./keep-connected.ts";
import type { Dial } from "./keep-connected.ts";
import { LadderLog } from "./ladder-log.ts";
import { Lifecycle } from "./lifecycle.ts";
import { limitedBy } from "./limited-by.ts";
import type { AgentManifest } from "./manifest.ts";
import { Outbox } from "./outbox.ts";
import { lastingRoutines, watchingRoutines } from "./routines.ts";
import type { RoutineParts } from "./routines.ts";
import { ScriptLife } from "./script-life.ts";
import { serveConnection } from "./serve-connection.ts";
import type { Routine } from "./serve-connection.ts";
import { Workspace } from "./workspace.ts";
import type { Place } from "./workspace.ts";

/** What an agent needs to live. */
export interface AgentSessionOptions {
  readonly dial: Dial;
  /** Named where the agent cannot connect. */
  readonly serverUrl: string;
  readonly place: Place;
  readonly directories: ScriptDirectories;
  readonly subsystems: readonly Subsystem[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

/** How the outside ends an agent: once politely, then by force. */
export interface Ending {
  readonly interrupted: Promise<unknown>;
  readonly forced: AbortSignal;
}

/** Timings that no server has taken yet; beyond it the newest is dropped. */
const maxTimings = 4096;
/** From SIGHUP to SIGKILL for what scripts left in the background. */
const leftoverGraceMs = 2_000;
/** For the last logs, timings and states to reach the server. */
const flushMs = 5_000;

/** One life of an agent: connected as far as possible, from its start scripts to its stop scripts. Run it once. */
export class AgentSession {
  readonly #options: AgentSessionOptions;
  readonly #parts: RoutineParts;
  readonly #scripts: ScriptLife;
  readonly #pipes = new OutputPipes();
  /** Aborted when the shutdown begins; then, at its end, everything. */
  readonly #stopping = new AbortController();
  readonly #ended = new AbortController();

  constructor(options: AgentSessionOptions) {
    this.#options = options;
    const { clock, logger, place, directories } = options;
    const groups = new ProcessGroups(clock);
    const logs = new LogQueue(clock);
    const lifecycle = new Lifecycle(clock);
    const timings = new Outbox<ScriptTiming>(maxTimings, clock);
    const workspace = new Workspace(place);
    const commands = { clock, groups, pipes: this.#pipes };
    this.#parts = { logs, lifecycle, timings, workspace, commands, logger };
    this.#scripts = new ScriptLife({
      host: {
        commands,
        prepare: (text, extra) => workspace.prepare(text, extra),
        logs,
        directories,
        home: place,
        logger,
      },
      lifecycle,
      clock,
      logger,
      logs,
      onCompleted: (timing) => {
        if (!timings.put(timing)) logger.warn({ scriptId: timing.scriptId }, "timing dropped");
      },
    });
  }

  /** Lives until it is interrupted and has shut down, or is forced to end. */
  async run({ interrupted, forced }: Ending): Promise<void> {
    const connecting = this.#connect();
    try {
      await Promise.race([interrupted, whenAborted(forced), connecting]);
      this.#options.logger.info({}, "shutting down");
      this.#stopping.abort();
      await abortable(this.#shutDown(forced), forced);
      this.#options.logger.info({}, "shut down");
    } catch (error) {
      if (!forced.aborted) throw error;
      this.#options.logger.warn({}, "ended at once");
    } finally {
      this.#parts.commands.groups.killAll();
      this.#ended.abort();
      await connecting;
      this.#pipes[Symbol.dispose]();
    }
  }

  async #connect(): Promise<void> {
    const { dial, serverUrl, clock, logger, random } = this.#options;
    const ladder = new LadderLog(serverUrl, clock, logger);
    await keepConnected(
      {
        dial,
        serve: (connection, onUsable, signal) => this.#serve(connection, onUsable, signal),
        ladder,
        clock,
        logger,
        random,
      },
      this.#ended.signal,
    );
  }

  async #serve(
    connection: AgentConnection,
    onUsable: () => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { subsystems, logger } = this.#options;
    const manifest = Promise.withResolvers<AgentManifest>();
    const take: Routine = {
      name: "manifest",
      endsAtShutdown: true,
      run: async (_connection, ended) => {
        const { workspace } = this.#parts;
        const taken = await handleManifest(connection, { workspace, subsystems, logger }, ended);
        // The shutdown may have begun meanwhile, and would not know of scripts that start now.
        ended.throwIfAborted();
        onUsable();
        this.#scripts.begin(taken.scripts);
        manifest.resolve(taken);
      },
    };
    const routines = [
      take,
      ...lastingRoutines(this.#parts),
      ...watchingRoutines(this.#parts, manifest.promise),
    ];
    const stopping = this.#stopping.signal;
    await serveConnection(connection, routines, { stopping, signal, logger });
  }

  async #shutDown(forced: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const { logs, lifecycle, timings, commands } = this.#parts;
    const hasLived = await this.#scripts.end(forced);
    // Nobody waits for a word of an agent that never began.
    if (!hasLived) return;
    await Promise.all([
      commands.groups.endAll(leftoverGraceMs, forced),
      limitedBy(flushMs, clock, async (limit) => {
        await Promise.all([logs.flush(limit), timings.drained(limit), lifecycle.reported(limit)]);
      }),
    ]);
  }
}
