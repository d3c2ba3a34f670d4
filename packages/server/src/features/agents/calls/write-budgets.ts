import type { Clock } from "@slipway/runtime";

interface Budget {
  /** The amount that may be written at once. */
  readonly burst: number;
  /** The amount restored each hour. */
  readonly perHour: number;
}

/**
 * The write budgets of one agent on this replica. Each is several times what a stock agent in heavy use needs, and limits
 * what an agent that never pauses adds to the database; docs/limits.md has the totals.
 */
export const writeBudgets = {
  /** Statistics of an agent in use; a stock agent reports every 30 s. Beyond, reports are accepted and not stored. */
  statistics: { burst: 10, perHour: 180 },
  /** Script runs. Beyond, they are refused. */
  timings: { burst: 400, perHour: 360 },
  /** Connection reports, two for each connection. Beyond, they are refused. */
  connections: { burst: 512, perHour: 480 },
  /** Terminals that the server opens and records. Beyond, they are not recorded. */
  terminals: { burst: 256, perHour: 240 },
  /** App statuses. Beyond, they are refused. */
  statuses: { burst: 60, perHour: 360 },
  /** New sub-agents. Beyond, they are refused. */
  subAgents: { burst: 64, perHour: 60 },
  /** Log lines of boundaries, which go to the server's log. Beyond, they are counted. */
  boundaryLogs: { burst: 5_000, perHour: 36_000 },
  /**
   * The agent's traffic in both directions, in bytes; each call and each streamed response counts for some. Beyond, its
   * calls wait. A stock agent sends a batch of 1 MiB a second at most for each source of its logs.
   */
  traffic: { burst: 16 * 1024 * 1024, perHour: 3_600 * 2 * 1024 * 1024 },
  /** Calls of `Coordinate`, each of which reads and writes the database. Beyond, they wait. */
  coordinations: { burst: 120, perHour: 18_000 },
  /** Changes of the node of a peer, each sent to all that share a tunnel with it. Beyond, they wait. */
  nodes: { burst: 60, perHour: 14_400 },
  /** Tunnels that a peer opens and closes, and reports that it is ready for others. Beyond, they wait. */
  tunnels: { burst: 2_000, perHour: 72_000 },
  /** Updates of the agent's own row, each sent to all watchers of its workspace. Beyond, they are refused. */
  updates: { burst: 300, perHour: 7_200 },
} as const satisfies Readonly<Record<string, Budget>>;

export type BudgetName = keyof typeof writeBudgets;

interface Bucket {
  left: number;
  /** The time for which `left` holds, on the clock's monotonic time. */
  atMs: number;
}

const msPerHour = 3_600_000;
/** The growth after which full buckets are dropped. */
const sweepStep = 10_000;

/** Token buckets by agent and budget. An idle agent regains all of its burst, whatever sessions it opens. */
export class WriteBudgets {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #buckets = new Map<string, Bucket>();
  #sweepAt = sweepStep;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** Spends as much of `wanted` as the agent may write now, and returns that. */
  spend(agentId: string, name: BudgetName, wanted = 1): number {
    const key = `${name} ${agentId}`;
    const { burst } = writeBudgets[name];
    const bucket = this.#buckets.get(key) ?? this.#open(key, burst);
    this.#refill(name, bucket);
    const granted = Math.min(wanted, Math.floor(bucket.left));
    bucket.left -= granted;
    return granted;
  }

  /**
   * Spends `cost`, even if that exceeds what is left, and returns the milliseconds until it is covered. Spends nothing if
   * that is more than `maxWaitMs`, so that a caller that gives up owes nothing.
   */
  reserve(agentId: string, name: BudgetName, cost: number, maxWaitMs = Infinity): number {
    const key = `${name} ${agentId}`;
    const { burst, perHour } = writeBudgets[name];
    const bucket = this.#buckets.get(key) ?? this.#open(key, burst);
    this.#refill(name, bucket);
    const waitMs = Math.max(0, Math.ceil(((cost - bucket.left) * msPerHour) / perHour));
    if (waitMs <= maxWaitMs) bucket.left -= cost;
    return waitMs;
  }

  #open(key: string, burst: number): Bucket {
    if (this.#buckets.size >= this.#sweepAt) this.#sweep();
    const bucket = { left: burst, atMs: this.#clock.monotonic() };
    this.#buckets.set(key, bucket);
    return bucket;
  }

  #refill(name: BudgetName, bucket: Bucket): void {
    const { burst, perHour } = writeBudgets[name];
    const now = this.#clock.monotonic();
    bucket.left = Math.min(burst, bucket.left + ((now - bucket.atMs) * perHour) / msPerHour);
    bucket.atMs = now;
  }

  #sweep(): void {
    for (const [key, bucket] of this.#buckets) {
      const name = budgetOf(key);
      this.#refill(name, bucket);
      if (bucket.left >= writeBudgets[name].burst) this.#buckets.delete(key);
    }
    this.#sweepAt = this.#buckets.size + sweepStep;
  }
}

function budgetOf(key: string): BudgetName {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the key was built from it
  return key.slice(0, key.indexOf(" ")) as BudgetName;
}
