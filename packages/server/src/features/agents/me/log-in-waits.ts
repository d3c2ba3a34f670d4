import { Gauge, type Registry } from "prom-client";

/** The most requests of one agent that wait for its owner to log in, on one replica. */
const maxLogInWaitsPerAgent = 8;

/** The requests of agents that wait for their owners to log in to a provider. */
export class LogInWaits {
  readonly #counts = new Map<string, number>();

  constructor(registry: Registry) {
    const sum = (): number => [...this.#counts.values()].reduce((all, count) => all + count, 0);
    void new Gauge({
      name: "slipway_external_auth_waits",
      help: "Requests of agents to this replica that wait for their owner to log in to a provider.",
      registers: [registry],
      collect() {
        this.set(sum());
      },
    });
  }

  /** Holds a place until the result is disposed of; undefined if the agent has no more. */
  hold(agentId: string): Disposable | undefined {
    const count = this.#counts.get(agentId) ?? 0;
    if (count >= maxLogInWaitsPerAgent) return undefined;
    this.#counts.set(agentId, count + 1);
    return { [Symbol.dispose]: () => this.#free(agentId) };
  }

  #free(agentId: string): void {
    const count = (this.#counts.get(agentId) ?? 0) - 1;
    if (count <= 0) this.#counts.delete(agentId);
    else this.#counts.set(agentId, count);
  }
}
