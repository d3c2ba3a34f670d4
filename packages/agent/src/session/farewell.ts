import type { AgentConnection } from "@slipway/sdk/agent";

import type { Dial } from "./keep-connected.ts";

/**
 * The end of an agent, which waits for its last messages only while a server can still take them: a dial that fails
 * is the last one.
 */
export class Farewell {
  readonly #hopeless = new AbortController();
  #hasBegun = false;
  #connections = 0;

  /** True while there is a connection. */
  get isConnected(): boolean {
    return this.#connections > 0;
  }

  /** Aborted when the server cannot be reached any more, once the farewell has begun. */
  get hopeless(): AbortSignal {
    return this.#hopeless.signal;
  }

  begin(): void {
    this.#hasBegun = true;
  }

  /** Dials as `dial` does, and notes whether that leads anywhere. */
  async dial(dial: Dial, signal: AbortSignal): Promise<AgentConnection> {
    try {
      const connection = await dial(signal);
      this.#connections += 1;
      void connection.closed.then(() => (this.#connections -= 1));
      return connection;
    } catch (error) {
      if (this.#hasBegun && !signal.aborted) this.#hopeless.abort();
      throw error;
    }
  }
}
