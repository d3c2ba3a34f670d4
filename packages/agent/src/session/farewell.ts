import { type AgentConnection, DialError } from "@slipway/sdk/agent";

import type { Dial } from "./keep-connected.ts";

/** The time for the last messages to reach the server. */
export const farewellMs = 5_000;
/** The same if the server was connected when the shutdown began: it may be restarting. */
const restartMs = 15_000;

/**
 * The end of an agent. It waits for its last messages only while a server may still accept them: as long as a restart
 * takes if the server was connected, else until the first failed dial, and in both cases until a refusal.
 */
export class Farewell {
  readonly #hopeless = new AbortController();
  #stage: "living" | "ending" | "sending" = "living";
  #wasThere = false;
  #connections = 0;

  /** True while there is a connection. */
  get isConnected(): boolean {
    return this.#connections > 0;
  }

  /** Aborted once the last messages are queued and the server cannot be reached. */
  get hopeless(): AbortSignal {
    return this.#hopeless.signal;
  }

  /** Records that the shutdown has begun. */
  end(): void {
    this.#stage = "ending";
    this.#wasThere = this.isConnected;
  }

  /** Records that the last messages are queued. Returns the time for them to reach the server, in milliseconds. */
  send(): number {
    this.#stage = "sending";
    return this.#wasThere ? restartMs : farewellMs;
  }

  /** Dials as `dial` does, and records the result. */
  async dial(dial: Dial, signal: AbortSignal): Promise<AgentConnection> {
    try {
      const connection = await dial(signal);
      this.#connections += 1;
      if (this.#stage === "ending") this.#wasThere = true;
      void connection.closed.then(() => (this.#connections -= 1));
      return connection;
    } catch (error) {
      const mayReturn = this.#wasThere && !isRefusal(error);
      if (this.#stage === "sending" && !mayReturn && !signal.aborted) this.#hopeless.abort();
      throw error;
    }
  }
}

/** Reports whether the server itself refuses this agent. */
function isRefusal(error: unknown): boolean {
  return error instanceof DialError && error.rung === "authentication";
}
