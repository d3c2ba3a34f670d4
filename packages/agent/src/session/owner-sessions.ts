import type { Scope } from "@slipway/runtime";
import type { ReinitEvent } from "@slipway/sdk/agent";

import { OutputPipes } from "../process/output-pipes.ts";
import { AgentSession, type AgentSessionOptions } from "./agent-session.ts";
import { farewellMs } from "./farewell.ts";
import type { AgentManifest } from "./manifest.ts";
import {
  type Decide,
  type Decision,
  follow,
  type Identity,
  prebuildsOwner,
} from "./reinit/identity.ts";
import { writeSecretFiles } from "./secret-files.ts";

export interface OwnerSessionsOptions extends AgentSessionOptions {
  readonly decide: Decide;
}

interface OwnerSessionsNeeds {
  /** The scope of sessions that leave while the next one runs. */
  readonly scope: Scope;
  /** Aborted once the shutdown has begun. */
  readonly stopping: AbortSignal;
}

type Phase =
  | { readonly kind: "waiting" }
  | { readonly kind: "living"; readonly session: AgentSession; readonly ranAs: Identity }
  | {
      readonly kind: "stopping";
      /** Resolves once the session has ended. */
      readonly left: Promise<void>;
    }
  | {
      readonly kind: "leaving";
      readonly ranAs: Identity;
      /** The manifest of the next session. */
      readonly next: AgentManifest;
      /** Resolves once the next session has begun, or the shutdown has prevented it. */
      readonly left: Promise<void>;
    };

/**
 * The sessions of an agent's process: one after the other, each for one owner.
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
 * If the server refuses the agent because the workspace is stopped, the session ends in the same way (stopping), and
 * the agent waits again: the next start begins a new session. The agent does not dial meanwhile.
 *
 * While one session leaves, its last messages go first over the connection, then the next session's first ones; the
 * next owner's scripts do not wait for either.
 */
export class OwnerSessions implements Disposable {
  readonly #options: OwnerSessionsOptions;
  readonly #scope: Scope;
  readonly #stopping: AbortSignal;
  readonly #pipes = new OutputPipes();
  #phase: Phase = { kind: "waiting" };
  /** The sessions that have something to report, oldest first. */
  #speakers: readonly AgentSession[] = [];
  /** The owner named by the event that led to the current one, so that repeated events cost nothing. */
  #knownOwnerId: string | undefined;

  constructor(options: OwnerSessionsOptions, { scope, stopping }: OwnerSessionsNeeds) {
    this.#options = options;
    this.#scope = scope;
    this.#stopping = stopping;
  }

  /** The first session that has something to report. */
  get speaker(): AgentSession | undefined {
    return this.#speakers.find(({ isSilent }) => !isSilent);
  }

  /** Reports whether an event names the owner that an earlier event has already led to. */
  hasFollowed({ ownerId }: ReinitEvent): boolean {
    return ownerId !== undefined && ownerId === this.#knownOwnerId;
  }

  /**
   * Decides the effect of a new manifest, fetched because of the event if there is one. A reinit begins immediately;
   * otherwise the caller calls `apply`.
   */
  decide(manifest: AgentManifest, event: ReinitEvent | undefined): Decision {
    const identity = identityOf(manifest);
    const phase = this.#phase;
    const ranAs = "ranAs" in phase ? phase.ranAs : undefined;
    const decision = this.#options.decide(identity, ranAs, event !== undefined);
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
    if (decision === "reinit" || event !== undefined) {
      const isClaimed = identity.ownerName !== prebuildsOwner;
      this.#knownOwnerId = isClaimed ? event?.ownerId : undefined;
    }
    return decision;
  }

  /** Begins the first session with a manifest, or updates the current one. */
  apply(manifest: AgentManifest, decision: Exclude<Decision, "reinit">): void {
    if (decision === "run") this.#begin(manifest);
    else if (this.#phase.kind === "living") this.#phase.session.update(manifest);
  }

  /** Ends the session of a workspace that was stopped. Its last messages are lost: the server accepts none. */
  async stop(signal: AbortSignal): Promise<void> {
    const phase = this.#phase;
    if (phase.kind !== "living" || this.#stopping.aborted) return;
    const { session } = phase;
    this.#options.logger.info({}, "running the stop scripts");
    const left = Promise.withResolvers<void>();
    this.#phase = { kind: "stopping", left: left.promise };
    try {
      await session.end(signal);
      await session.closeNetwork();
    } finally {
      this.#forget(session);
      this.#knownOwnerId = undefined;
      this.#phase = { kind: "waiting" };
      left.resolve();
    }
  }

  /** Ends the current session for the shutdown. `flush` sends its last messages. */
  async end(signal: AbortSignal): Promise<void> {
    const phase = this.#phase;
    if (phase.kind === "leaving" || phase.kind === "stopping") await phase.left;
    if (this.#phase.kind === "living") await this.#phase.session.end(signal);
  }

  /** Waits up to `limitMs` for the last messages of all sessions to reach the server. */
  async flush(limitMs: number, signal: AbortSignal): Promise<void> {
    await Promise.all(this.#speakers.map((session) => session.flush(limitMs, signal)));
  }

  /** Kills the processes of all sessions. */
  kill(): void {
    for (const session of this.#speakers) session[Symbol.dispose]();
  }

  /** Removes the pipes of the commands, all of which have ended. */
  [Symbol.dispose](): void {
    this.#pipes[Symbol.dispose]();
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
      if (!this.#stopping.aborted) await this.#beginNext(session);
      left.resolve();
      await session.closeNetwork();
      await session.flush(farewellMs, signal);
      this.#forget(session);
    });
  }

  async #beginNext(before: AgentSession): Promise<void> {
    // A manifest that arrives in the meantime is used instead.
    for (let phase = this.#phase; phase.kind === "leaving"; phase = this.#phase) {
      const { next } = phase;
      await writeSecretFiles(next.secretFiles, this.#options.logger);
      if (this.#stopping.aborted) return;
      if (this.#phase === phase) this.#begin(next, before);
    }
  }

  #forget(session: AgentSession): void {
    session[Symbol.dispose]();
    this.#speakers = this.#speakers.filter((speaker) => speaker !== session);
  }
}

function identityOf({ workspace, agentId }: AgentManifest): Identity {
  return { ownerName: workspace.ownerName, agentId };
}
