import { abortable, Scope, whenAborted } from "@slipway/runtime";
import type { AgentConnection, ReinitEvent } from "@slipway/sdk/agent";

import type { Subsystem } from "../config/agent-config.ts";
import { agentVersion } from "../config/agent-version.ts";
import { OutputPipes } from "../process/output-pipes.ts";
import { AgentSession } from "./agent-session.ts";
import type { AgentSessionOptions } from "./agent-session.ts";
import { ConnectLog } from "./connect-log.ts";
import { Farewell, farewellMs } from "./farewell.ts";
import { keepConnected } from "./keep-connected.ts";
import type { Dial } from "./keep-connected.ts";
import { getManifest, updateStartup } from "./manifest-calls.ts";
import type { AgentManifest } from "./manifest.ts";
import { Redial } from "./redial.ts";
import { follow, prebuildsOwner } from "./reinit/identity.ts";
import type { Decide, Decision, Identity } from "./reinit/identity.ts";
import { pollReinit } from "./reinit/poll-reinit.ts";
import type { WaitForReinit } from "./reinit/poll-reinit.ts";
import { writeSecretFiles } from "./secret-files.ts";

/** The options of an agent's life. */
export interface AgentLifeOptions extends AgentSessionOptions {
  readonly dial: Dial;
  readonly waitForReinit: WaitForReinit;
  readonly decide: Decide;
  /** The server's address, named where the agent cannot connect. */
  readonly serverUrl: string;
  readonly subsystems: readonly Subsystem[];
  readonly random: () => number;
}

/** The two ways to end an agent from outside: politely, then by force. */
export interface ShutdownSignals {
  readonly interrupted: Promise<unknown>;
  readonly forced: AbortSignal;
}

type Phase =
  | { readonly kind: "waiting" }
  | { readonly kind: "living"; readonly session: AgentSession; readonly ranAs: Identity }
  | {
      readonly kind: "stopping";
      /** Resolves once its session has ended. */
      readonly left: Promise<void>;
    }
  | {
      readonly kind: "leaving";
      readonly ranAs: Identity;
      /** The manifest of the session that will be next. */
      readonly next: AgentManifest;
      /** Resolves once that session has begun, or the shutdown has put an end to it. */
      readonly left: Promise<void>;
    };

/** An event, and the waiter for its outcome. */
interface PendingEvent {
  readonly event: ReinitEvent;
  readonly decided: PromiseWithResolvers<Decision>;
}

/**
 * An agent's process: one session after the other, each for one owner, over connections that know nothing of sessions.
 *
 *              manifest                   manifest: "reinit"
 *     waiting ─────────► living ─────────────────────────────────► leaving
 *        │               │    ▲   stop scripts have run, processes    │ │
 *        │               │    └── are gone: the next session begins ──┘ │
 *        │               │        with the newest manifest              │
 *        │ interrupted   │ interrupted: stop scripts, last words        │ interrupted: the session that
 *        ▼               ▼                                              ▼ leaves ends, no next begins
 *      ended ◄───────── ended ◄──────────────────────────────────────── ended
 *
 * A refusal because the workspace is stopped ends a session in the same way (stopping), and the agent waits again: the next
 * start is a new life. Nothing is dialed meanwhile.
 *
 * Each connection begins with its manifest, and the manifest alone decides. An event only makes for a new connection at
 * once. While one session leaves, its last words go first over the connection, then the next session's first; the next
 * owner's scripts do not wait for either.
 */
export class AgentLife {
  readonly #options: AgentLifeOptions;
  readonly #redial = new Redial();
  readonly #farewell = new Farewell();
  readonly #stopping = new AbortController();
  readonly #scope = new Scope();
  readonly #pipes = new OutputPipes();
  #phase: Phase = { kind: "waiting" };
  /** Sessions that have something to report, the oldest first. */
  #speakers: readonly AgentSession[] = [];
  #asked: PendingEvent | undefined;
  /** The owner named by an event that led to the present one, so that repeated events cost nothing. */
  #knownOwnerId: string | undefined;

  constructor(options: AgentLifeOptions) {
    this.#options = options;
  }

  /** Lives until it is interrupted and has shut down, or is forced to end. Run it once. */
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
      for (const session of this.#speakers) session[Symbol.dispose]();
      await this.#scope.close();
      this.#pipes[Symbol.dispose]();
    }
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const { dial, serverUrl, clock, logger, random } = this.#options;
    await keepConnected(
      {
        dial: (either) => this.#farewell.dial(dial, either),
        serve: (connection, onUsable, ended) => this.#serve(connection, onUsable, ended),
        onStopped: () => this.#stop(signal),
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
      this.#ask(event, ended);
    try {
      const either = AbortSignal.any([signal, this.#stopping.signal]);
      await pollReinit({ ...this.#options, onEvent }, either);
    } catch (error) {
      if (!this.#stopping.signal.aborted) throw error;
    }
  }

  /** Fetches the manifest again; resolves to true if that made a difference. */
  async #ask(event: ReinitEvent, signal: AbortSignal): Promise<boolean> {
    const { ownerId } = event;
    if (ownerId !== undefined && ownerId === this.#knownOwnerId) return false;
    const asked: PendingEvent = { event, decided: Promise.withResolvers<Decision>() };
    this.#asked = asked;
    this.#redial.now();
    const decision = await abortable(asked.decided.promise, signal);
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
      const speaker = this.#speakers.find(({ isSilent }) => !isSilent);
      if (speaker === undefined) return whenAborted(signal);
      await speaker.serve(connection, signal);
    }
  }

  /** Fetches the manifest, reports the agent, and carries the manifest out (docs/protocol/agent.md §2.4). */
  async #greet(
    connection: AgentConnection,
    onUsable: () => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { machine, subsystems, logger } = this.#options;
    signal.throwIfAborted();
    const manifest = await getManifest(connection, machine, signal);
    signal.throwIfAborted();
    const decision = this.#take(manifest);
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
    // The shutdown may have begun in the meantime, and would not know of scripts that start now.
    signal.throwIfAborted();
    if (decision === "run") this.#begin(manifest);
    else if (this.#phase.kind === "living") this.#phase.session.update(manifest);
  }

  /** Decides the effect of a fresh manifest. Only a reinit begins here: it has no time to lose. */
  #take(manifest: AgentManifest): Decision {
    const asked = this.#asked;
    this.#asked = undefined;
    const identity = identityOf(manifest);
    const phase = this.#phase;
    const ranAs = "ranAs" in phase ? phase.ranAs : undefined;
    const decision = this.#options.decide(identity, ranAs, asked !== undefined);
    switch (phase.kind) {
      case "waiting":
      case "stopping":
        break;
      case "living":
        if (decision === "reinit") this.#reinit(phase.session, phase.ranAs, manifest);
        else this.#phase = { ...phase, ranAs: follow(identity, phase.ranAs) };
        break;
      case "leaving":
        if (decision === "reinit") this.#phase = { ...phase, next: manifest };
        break;
    }
    if (decision === "reinit" || asked !== undefined) {
      const isClaimed = identity.ownerName !== prebuildsOwner;
      this.#knownOwnerId = isClaimed ? asked?.event.ownerId : undefined;
    }
    asked?.decided.resolve(decision);
    return decision;
  }

  #begin(manifest: AgentManifest, before?: AgentSession): void {
    const session = new AgentSession(manifest, this.#options, this.#pipes);
    this.#speakers = [...this.#speakers, session];
    this.#phase = { kind: "living", session, ranAs: identityOf(manifest) };
    session.begin(before);
  }

  #reinit(session: AgentSession, ranAs: Identity, next: AgentManifest): void {
    const { logger } = this.#options;
    logger.info(
      { from: ranAs, to: identityOf(next) },
      "the agent has a new owner: starting a new session",
    );
    const left = Promise.withResolvers<void>();
    this.#phase = { kind: "leaving", ranAs, next, left: left.promise };
    this.#scope.run(async (signal) => {
      await session.leave(signal);
      if (!this.#stopping.signal.aborted) await this.#beginNext(session);
      left.resolve();
      await session.closeNetwork();
      await session.flush(farewellMs, signal);
      session[Symbol.dispose]();
      this.#speakers = this.#speakers.filter((speaker) => speaker !== session);
    });
  }

  /** Ends the session of a workspace that was stopped. Its last words are lost: the server takes none. */
  async #stop(signal: AbortSignal): Promise<void> {
    const phase = this.#phase;
    if (phase.kind !== "living" || this.#stopping.signal.aborted) return;
    const { session } = phase;
    this.#options.logger.info({}, "running the stop scripts");
    const left = Promise.withResolvers<void>();
    this.#phase = { kind: "stopping", left: left.promise };
    try {
      await session.end(signal);
      await session.closeNetwork();
    } finally {
      session[Symbol.dispose]();
      this.#speakers = this.#speakers.filter((speaker) => speaker !== session);
      this.#knownOwnerId = undefined;
      this.#phase = { kind: "waiting" };
      left.resolve();
    }
  }

  async #beginNext(before: AgentSession): Promise<void> {
    // A manifest that arrives in the meantime is used instead.
    for (let phase = this.#phase; phase.kind === "leaving"; phase = this.#phase) {
      const { next } = phase;
      await writeSecretFiles(next.secretFiles, this.#options.logger);
      if (this.#stopping.signal.aborted) return;
      if (this.#phase === phase) this.#begin(next, before);
    }
  }

  async #shutDown(): Promise<void> {
    const { signal } = this.#scope;
    const phase = this.#phase;
    const farewell = this.#farewell;
    farewell.end();
    if (phase.kind === "leaving" || phase.kind === "stopping") await phase.left;
    if (this.#phase.kind === "living") await this.#phase.session.end(signal);
    const limitMs = farewell.send();
    // The server may be back by now.
    if (!farewell.isConnected) this.#redial.now();
    const either = AbortSignal.any([signal, farewell.hopeless]);
    await Promise.all(this.#speakers.map((session) => session.flush(limitMs, either)));
  }
}

function identityOf({ workspace, agentId }: AgentManifest): Identity {
  return { ownerName: workspace.ownerName, agentId };
}
