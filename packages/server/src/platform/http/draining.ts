import type { Server } from "node:http";

/**
 * The last phase of a listener, in which it still answers everything while clients and proxies turn to other servers: each
 * answer ends its connection, and the health check fails.
 */
export class Draining {
  #hasBegun = false;

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  begin(): void {
    this.#hasBegun = true;
  }

  /** Ends connections after their next answer, once draining has begun. */
  watch(server: Server): void {
    // Before the listener that answers.
    server.prependListener("request", (_request, response) => {
      if (this.#hasBegun) response.shouldKeepAlive = false;
    });
  }
}
