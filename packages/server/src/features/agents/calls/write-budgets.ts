import { type BudgetRate, type Clock, TokenBucket } from "@slipway/runtime";

interface Budget {
  /** The amount that may be written in one burst. */
  readonly burst: number;
  /** The amount restored each hour. */
  readonly perHour: number;
}

/**
 * The write budgets of one agent on this replica. Each is several times what a stock agent in heavy use needs, and
 * limits what an agent that never pauses adds to the database; docs/limits.md has the totals.
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

const secondsPerHour = 3_600;
/** The growth after which full buckets are dropped. */
const sweepStep = 10_000;

interface AgentBudgets {
  /** The rate, shared by all agents. */
  readonly rate: BudgetRate;
  /** The buckets that are not known to be full, by the agent's id. */
  readonly buckets: Map<string, TokenBucket>;
}

/** Token buckets by budget and agent. An idle agent regains all of its burst, whatever sessions it opens. */
export class WriteBudgets {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #budgets = new Map<BudgetName, AgentBudgets>();
  #size = 0;
  #sweepAt = sweepStep;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** Spends as much of `wanted` as the agent may write now, and returns that. */
  spend(agentId: string, name: BudgetName, wanted = 1): number {
    const now = this.#clock.monotonic();
    const bucket = this.#bucket(agentId, name, now);
    const granted = Math.min(wanted, Math.floor(bucket.left(now)));
    bucket.take(granted, now);
    return granted;
  }

  /**
   * Spends `cost`, even if that exceeds what is left, and returns the milliseconds until it is covered. Spends
   * nothing if that is more than `maxWaitMs`, so that a caller that gives up owes nothing.
   */
  reserve(agentId: string, name: BudgetName, cost: number, maxWaitMs = Infinity): number {
    const now = this.#clock.monotonic();
    const bucket = this.#bucket(agentId, name, now);
    const waitMs = bucket.waitFor(cost, now);
    if (waitMs <= maxWaitMs) bucket.take(cost, now);
    return waitMs;
  }

  #bucket(agentId: string, name: BudgetName, now: number): TokenBucket {
    return this.#budgets.get(name)?.buckets.get(agentId) ?? this.#add(agentId, name, now);
  }

  #add(agentId: string, name: BudgetName, now: number): TokenBucket {
    if (this.#size >= this.#sweepAt) this.#sweep(now);
    const { rate, buckets } = this.#budgets.get(name) ?? newBudgets(name);
    this.#budgets.set(name, { rate, buckets });
    const bucket = new TokenBucket(rate);
    buckets.set(agentId, bucket);
    this.#size += 1;
    return bucket;
  }

  #sweep(now: number): void {
    for (const { buckets } of this.#budgets.values()) {
      for (const [agentId, bucket] of buckets) {
        if (!bucket.isFull(now)) continue;
        buckets.delete(agentId);
        this.#size -= 1;
      }
    }
    this.#sweepAt = this.#size + sweepStep;
  }
}

function newBudgets(name: BudgetName): AgentBudgets {
  const { burst, perHour } = writeBudgets[name];
  return { rate: { burst, perSecond: perHour / secondsPerHour }, buckets: new Map() };
}
