import { Turnstile } from "@slipway/runtime";

/**
 * The turns of this server's work on the infrastructure of workspaces: builds, and restarts of what ended by itself, one
 * at a time for each workspace. Builds of drivers that need restarts are bound to one server.
 */
export class WorkspaceTurns {
  readonly #open = new Map<string, Turnstile>();

  /** Runs a task in the workspace's turn. Rejects with the signal's reason if it is aborted before. */
  async run<T>(workspaceId: string, signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    const turnstile = this.#open.get(workspaceId) ?? new Turnstile((inside) => inside === 0);
    this.#open.set(workspaceId, turnstile);
    try {
      return await turnstile.run(signal, task);
    } finally {
      if (turnstile.isEmpty) this.#open.delete(workspaceId);
    }
  }
}
