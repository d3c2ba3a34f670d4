import { abortable, Scope, whenAborted } from "@slipway/runtime";
import type { AgentConnection, ReinitEvent } from "@slipway/sdk/agent";

import { agentVersion, type Subsystem } from "../config/agent-config.ts";
import { ConnectLog } from "./connect-log.ts";
import { Farewell } from "./farewell.ts";
import { type Dial, keepConnected, Redial } from "./keep-connected.ts";
import { getManifest, updateStartup } from "./manifest-calls.ts";
import { OwnerSessions, type OwnerSessionsOptions } from "./owner-sessions.ts";
import type { Decision } from "./reinit/identity.ts";
import { pollReinit, type WaitForReinit } from "./reinit/poll-reinit.ts";
import { writeSecretFiles } from "./secret-files.ts";

/** The options of an agent's life. */
export interface AgentLifeOptions extends OwnerSessionsOptions {
  readonly dial: Dial;
  readonly waitForReinit: WaitForReinit;
  /** The server's address, for the log of failed connections. */
  readonly serverUrl: string;
  readonly subsystems: readonly Subsystem[];
  readonly random: () => number;
}

/** The two ways to end an agent from outside: gracefully, then by force. */
export interface ShutdownSignals {
  readonly interrupted: Promise<unknown>;
  readonly forced: AbortSignal;
}

/** An event that a new connection must answer with a decision. */
interface PendingEvent {
  readonly event: ReinitEvent;
  readonly decided: PromiseWithResolvers<Decision>;
}

/**
 * An agent's process: connections, which are independent of sessions, and sessions, which are independent of
 * connections (`OwnerSessions`). Each connection begins with its manifest, and only the manifest decides what begins
 * and ends. An event merely makes the agent reconnect immediately.
 */
export class AgentLife {
  readonly #options: AgentLifeOptions;
  readonly #redial = new Redial();
  readonly #farewell = new Farewell();
  readonly #stopping = new AbortController();
  readonly #scope = new Scope();
  readonly #sessions: OwnerSessions;
  #pending: PendingEvent | undefined;

  constructor(options: AgentLifeOptions) {
    this.#options = options;
    this.#sessions = new OwnerSessions(options, {
      scope: this.#scope,
      stopping: this.#stopping.signal,
    });
  }

  /** Runs until it is interrupted and has shut down, or is forced to end. Call it once. */
  async run({ interrupted, forced }: ShutdownSignals): Promise<void> {
    const { logger } = this.#options;
    this.#scope.run((signal) => this.#connect(signal));
    this.#scope.run((signal) => this.#poll(signal));
    try {
      await Promise.race([interrupted, whenAborted(forced), this.#scope.failed]);
      logger.info({}, "shutting down");
      this.#stopping.abort();
      await abortable(Promise.race([this.#shutDown(), this.#scope.failed]), forced);
      logger.info({}, "shut down");
    } catch (error) {
      if (!forced.aborted) throw error;
      logger.warn({}, "ended without shutting down");
    } finally {
      this.#sessions.kill();
      await this.#scope.close();
      this.#sessions[Symbol.dispose]();
    }
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const { dial, serverUrl, clock, logger, random } = this.#options;
    await keepConnected(
      {
        dial: (either) => this.#farewell.dial(dial, either),
        serve: (connection, onUsable, ended) => this.#serve(connection, onUsable, ended),
        onStopped: () => this.#sessions.stop(signal),
        redial: this.#redial,
        connectLog: new ConnectLog(serverUrl, clock, logger),
        clock,
        logger,
        random,
      },
      signal,
    );
  }

  /** Events are ignored once the shutdown has begun. */
  async #poll(signal: AbortSignal): Promise<void> {
    const onEvent = (event: ReinitEvent, ended: AbortSignal): Promise<boolean> =>
      this.#askAgain(event, ended);
    try {
      const either = AbortSignal.any([signal, this.#stopping.signal]);
      await pollReinit({ ...this.#options, onEvent }, either);
    } catch (error) {
      if (!this.#stopping.signal.aborted) throw error;
    }
  }

  /** Fetches the manifest again. Resolves to true if that changed anything. */
  async #askAgain(event: ReinitEvent, signal: AbortSignal): Promise<boolean> {
    if (this.#sessions.hasFollowed(event)) return false;
    const pending: PendingEvent = { event, decided: Promise.withResolvers<Decision>() };
    this.#pending = pending;
    this.#redial.now();
    const decision = await abortable(pending.decided.promise, signal);
    return decision === "run" || decision === "reinit";
  }

  async #serve(
    connection: AgentConnection,
    onUsable: () => void,
    signal: AbortSignal,
  ): Promise<void> {
    const stopping = this.#stopping.signal;
    try {
      await this.#greet(connection, onUsable, AbortSignal.any([signal, stopping]));
    } catch (error) {
      // Last messages need no manifest.
      if (signal.aborted || !stopping.aborted) throw error;
    }
    for (;;) {
      const { speaker } = this.#sessions;
      if (speaker === undefined) return whenAborted(signal);
      await speaker.serve(connection, signal);
    }
  }

  /** Fetches the manifest, reports the agent, and applies the manifest (docs/protocol/agent.md §2.4). */
  async #greet(
    connection: AgentConnection,
    onUsable: () => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { machine, subsystems, logger } = this.#options;
    signal.throwIfAborted();
    const manifest = await getManifest(connection, machine, signal);
    signal.throwIfAborted();
    const pending = this.#pending;
    this.#pending = undefined;
    const decision = this.#sessions.decide(manifest, pending?.event);
    pending?.decided.resolve(decision);
    const expandedDirectory = manifest.workspace.directory;
    await updateStartup(
      connection,
      { version: agentVersion, expandedDirectory, subsystems },
      signal,
    );
    onUsable();
    if (decision === "reinit") return;
    await writeSecretFiles(manifest.secretFiles, logger);
    if (decision === "run" && manifest.hasGitProviders) {
      const { writeEditorSettings } = await import("./editor-settings.ts");
      await writeEditorSettings(machine, logger);
    }
    // The shutdown may have begun in the meantime, and would miss scripts that start now.
    signal.throwIfAborted();
    this.#sessions.apply(manifest, decision);
  }

  async #shutDown(): Promise<void> {
    const { signal } = this.#scope;
    const farewell = this.#farewell;
    farewell.end();
    await this.#sessions.end(signal);
    const limitMs = farewell.send();
    // The server may be back by now.
    if (!farewell.isConnected) this.#redial.now();
    await this.#sessions.flush(limitMs, AbortSignal.any([signal, farewell.hopeless]));
  }
}
