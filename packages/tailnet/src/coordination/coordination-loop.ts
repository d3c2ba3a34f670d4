import {
  Backoff,
  type BackoffPolicy,
  type Clock,
  errorText,
  type Logger,
  Scope,
} from "@slipway/runtime";

import type { Coordination } from "./coordination.ts";
import { CoordinationError } from "./errors.ts";
import { ResumeTokens } from "./resume-tokens.ts";
import type { CoordinationService, OpenSession } from "./service.ts";

export interface CoordinationLoopOptions {
  readonly coordination: Coordination;
  readonly service: CoordinationService;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Returns a number from 0 to below 1. */
  readonly random: () => number;
  /** Called with each change of the connection to the coordinator. */
  readonly onState?: (state: CoordinationState) => void;
}

export type CoordinationState =
  /** The error of the previous attempt or session; an error of the dialer names the step that failed. */
  { readonly type: "connecting"; readonly error: unknown } | { readonly type: "connected" };

/** The delays between attempts (docs/protocol/tailnet.md §2.3). */
const redialPolicy: BackoffPolicy = { firstMs: 50, maxMs: 10_000, factor: 1.618, jitter: 0.2 };
/** The lifetime after which a session counts as stable and the delays start over. */
const stableMs = 30_000;
/** A session that outlives this multiple of the next delay counts as stable too. */
const stableRatio = 10;

/** Keeps a client connected to its coordinator. Established sessions of the tunnel survive a lost connection. */
export class CoordinationLoop {
  readonly #options: CoordinationLoopOptions;
  readonly #tokens: ResumeTokens;
  #hasConnected = false;

  constructor(options: CoordinationLoopOptions) {
    this.#options = options;
    this.#tokens = new ResumeTokens(options);
  }

  /**
   * Connects and serves repeatedly. Resolves when the coordination has left; rejects with the signal's reason, and
   * with the dialer's error if the server refuses before the first session.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger, random, onState } = this.#options;
    const backoff = new Backoff(redialPolicy, random);
    onState?.({ type: "connecting", error: undefined });
    for (;;) {
      const outcome = await this.#connectOnce(signal);
      if (outcome.type === "left") return;
      const { error } = outcome;
      onState?.({ type: "connecting", error });
      let delayMs = backoff.next();
      if (outcome.livedMs >= Math.min(stableMs, delayMs * stableRatio)) {
        backoff.reset();
        delayMs = backoff.next();
      }
      logger.debug({ error: errorText(error), delayMs }, "cannot reach the coordinator");
      await clock.sleep(delayMs, signal);
    }
  }

  /** Throws the error that ends the loop. */
  async #connectOnce(signal: AbortSignal): Promise<Outcome> {
    const { coordination, clock, onState } = this.#options;
    const session = await this.#open(signal);
    if ("error" in session) return { type: "failed", error: session.error, livedMs: 0 };
    this.#hasConnected = true;
    const openedAt = clock.monotonic();
    onState?.({ type: "connected" });
    try {
      await using held = session;
      await using scope = new Scope(signal);
      scope.run((ended) => this.#tokens.keepNew(held, ended));
      await coordination.serve(held, signal);
      return { type: "left" };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof CoordinationError && !error.retryable) throw error;
      return { type: "failed", error, livedMs: clock.monotonic() - openedAt };
    }
  }

  async #open(signal: AbortSignal): Promise<OpenSession | { readonly error: unknown }> {
    const { service } = this.#options;
    const token = this.#tokens.current;
    try {
      return await service.open(token, signal);
    } catch (error) {
      signal.throwIfAborted();
      switch (service.verdict(error)) {
        case "drop-token":
          this.#tokens.drop();
          return { error };
        case "refused":
          if (this.#hasConnected) return { error };
          throw error;
        case "retry":
          return { error };
      }
    }
  }
}

type Outcome =
  | { readonly type: "left" }
  | { readonly type: "failed"; readonly error: unknown; readonly livedMs: number };
