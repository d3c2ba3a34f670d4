import { type AgentConnection, DialError } from "@slipway/sdk/agent";

import type { Dial } from "./keep-connected.ts";

/** The time for the last messages to reach the server. */
export const farewellMs = 5_000;
/** The time for a server to take them that was there when the agent began to end, and may be starting again. */
const restartMs = 15_000;

/**
 * The end of an agent, which waits for its last messages only while a server may still take them: as long as a restart takes
 * where the server was there, and until the first dial that fails where it was not, or refuses the agent.
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

  /** Aborted when the server cannot be reached any more, once the last messages are all there. */
  get hopeless(): AbortSignal {
    return this.#hopeless.signal;
  }

  /** Notes that the agent has begun to end. */
  end(): void {
    this.#stage = "ending";
    this.#wasThere = this.isConnected;
  }

  /** Notes that the last messages are all there; returns the milliseconds that they have to reach the server. */
  send(): number {
    this.#stage = "sending";
    return this.#wasThere ? restartMs : farewellMs;
  }

  /** Dials as `dial` does, and notes whether that leads anywhere. */
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

/** Returns true for an answer of the server itself that it takes no messages of this agent. */
function isRefusal(error: unknown): boolean {
  return error instanceof DialError && error.rung === "authentication";
}
