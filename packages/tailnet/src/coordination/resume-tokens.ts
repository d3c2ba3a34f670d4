import { type Clock, errorText, type Logger } from "@slipway/runtime";

import type { CoordinationSession, ResumeToken } from "./service.ts";

interface ResumeTokenNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The time after which to ask again if the server does not name one, or cannot answer. */
const defaultRefreshMs = 30 * 60_000;
/** The shortest and the longest time between two refreshes, regardless of the server. */
const minRefreshMs = 10_000;
const maxRefreshMs = 24 * 3_600_000;

/** The newest token by which a later session resumes the same peer (docs/protocol/rpc.md §6.4). */
export class ResumeTokens {
  readonly #needs: ResumeTokenNeeds;
  #newest: ResumeToken | undefined;

  constructor(needs: ResumeTokenNeeds) {
    this.#needs = needs;
  }

  /** The newest token that is still valid. */
  get current(): string | undefined {
    const token = this.#newest;
    if (token === undefined || token.expiresAt <= this.#needs.clock.now()) return undefined;
    return token.token;
  }

  drop(): void {
    this.#newest = undefined;
  }

  /** Keeps the token fresh during a session, until the signal; a server without tokens is asked once. */
  async keepNew(session: CoordinationSession, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#needs;
    for (;;) {
      let refreshInMs = 0;
      try {
        const token = await session.refreshResumeToken(signal);
        if (token === undefined) return;
        this.#newest = token;
        refreshInMs = token.refreshInMs;
      } catch (error) {
        signal.throwIfAborted();
        logger.warn({ error: errorText(error) }, "cannot refresh the resume token");
      }
      const waitMs = refreshInMs > 0 ? refreshInMs : defaultRefreshMs;
      await clock.sleep(Math.min(Math.max(waitMs, minRefreshMs), maxRefreshMs), signal);
    }
  }
}
