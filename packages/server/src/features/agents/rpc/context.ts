import type { Clock, Logger } from "@slipway/runtime";

import type { SecretBox } from "../../../platform/auth/secret-box.ts";
import type { Database } from "../../../platform/db/database.ts";
import type { AgentCaller } from "../../../platform/http/caller.ts";
import type { PubSub } from "../../../platform/pubsub/pubsub.ts";
import type { MetadataSink } from "../metadata-batcher.ts";
import type { BudgetName } from "../write-budgets.ts";

/** What the RPCs of one agent's session are answered with. Each handler takes the few parts it needs. */
export interface AgentRpcContext {
  readonly db: Database;
  readonly pubsub: PubSub;
  readonly clock: Clock;
  /** Of the session, so that its lines name the agent. */
  readonly logger: Logger;
  readonly secrets: SecretBox;
  readonly metadata: MetadataSink;
  /** Told that the workspace is in use, which moves its deadline on; the builds stand above this feature. */
  readonly noteActivity: (workspaceId: string) => Promise<void>;
  /** Sub-agents that the agent may have at once. */
  readonly maxSubAgents: number;
  /** How much of what the agent wants to write it may write now; that is spent. */
  readonly spend: (budget: BudgetName, wanted?: number) => number;
  /** Spends of a budget what may not be left, and returns after how many milliseconds it is there. */
  readonly reserve: (budget: BudgetName, cost: number) => number;
  /** Counts the lines that were stored. */
  readonly storedLogLines: { inc(count: number): void };
  readonly agent: AgentCaller;
  /** The session's own; what it writes late may be told from what a newer one wrote. */
  readonly connectionId: string;
  /** The negotiated version, such as `2.10` (docs/protocol/rpc.md §1.2). */
  readonly apiVersion: string;
}
