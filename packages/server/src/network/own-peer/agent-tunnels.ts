import { type Clock, spread } from "@slipway/runtime";

interface AgentTunnelsOptions {
  readonly clock: Pick<Clock, "monotonic" | "sleep">;
  /** The maximum number of concurrent tunnels. */
  readonly maxTunnels: number;
  /** The time for which an unused tunnel stays. */
  readonly idleMs: number;
  readonly open: (agentId: string) => void;
  readonly close: (agentId: string) => void;
}

interface Tunnel {
  users: number;
  /** The monotonic time of the end of the last use. */
  unusedSince: number;
}

/** The interval of the search for unused tunnels, as a part of the time for which they stay. */
const sweepsPerIdleTime = 6;

/** Tunnels to agents: opened by the first user, shared by all, and closed a while after the last. */
export class AgentTunnels {
  readonly #options: AgentTunnelsOptions;
  readonly #tunnels = new Map<string, Tunnel>();

  constructor(options: AgentTunnelsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#tunnels.size;
  }

  has(agentId: string): boolean {
    return this.#tunnels.has(agentId);
  }

  /**
   * Keeps the tunnel to an agent open until the result is disposed of; undefined if there is no room. If there are too
   * many, the one that has been unused for the longest is closed.
   */
  use(agentId: string): Disposable | undefined {
    const tunnel = this.#tunnels.get(agentId) ?? this.#open(agentId);
    if (tunnel === undefined) return undefined;
    tunnel.users += 1;
    let isUsed = true;
    return {
      [Symbol.dispose]: () => {
        if (!isUsed) return;
        isUsed = false;
        tunnel.users -= 1;
        tunnel.unusedSince = this.#options.clock.monotonic();
      },
    };
  }

  /** Closes tunnels that are not used, until the signal. Rejects with the signal's reason. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, idleMs } = this.#options;
    for (;;) {
      await clock.sleep(spread(idleMs / sweepsPerIdleTime), signal);
      const now = clock.monotonic();
      for (const [agentId, { users, unusedSince }] of this.#tunnels) {
        if (users === 0 && now - unusedSince >= idleMs) this.#close(agentId);
      }
    }
  }

  #open(agentId: string): Tunnel | undefined {
    const { maxTunnels, open } = this.#options;
    if (this.#tunnels.size >= maxTunnels && !this.#makeRoom()) return undefined;
    const tunnel = { users: 0, unusedSince: 0 };
    open(agentId);
    this.#tunnels.set(agentId, tunnel);
    return tunnel;
  }

  #makeRoom(): boolean {
    const unused = [...this.#tunnels].filter(([, { users }]) => users === 0);
    const [oldest] = unused.toSorted(([, a], [, b]) => a.unusedSince - b.unusedSince);
    if (oldest === undefined) return false;
    this.#close(oldest[0]);
    return true;
  }

  #close(agentId: string): void {
    this.#tunnels.delete(agentId);
    this.#options.close(agentId);
  }
}
