import type { Clock, Logger } from "@slipway/runtime";

import type { SecretBox } from "../../../platform/auth/secret-box.ts";
import type { Database } from "../../../platform/db/database.ts";
import type { AgentCaller } from "../../../platform/http/caller.ts";
import type { PubSub } from "../../../platform/pubsub/pubsub.ts";
import type { MetadataSink } from "../metadata/metadata-batcher.ts";
import type { BudgetName } from "./write-budgets.ts";

/** The dependencies of the RPCs of one agent's session. Each handler takes the few parts it needs. */
export interface AgentRpcContext {
  readonly db: Database;
  readonly pubsub: PubSub;
  readonly clock: Clock;
  /** The session's logger, so that its lines name the agent. */
  readonly logger: Logger;
  readonly secrets: SecretBox;
  readonly metadata: MetadataSink;
  /** Records that the workspace is in use, which extends its deadline; the builds feature depends on this one. */
  readonly noteActivity: (workspaceId: string) => Promise<void>;
  /** The most sub-agents that the agent may have at once. */
  readonly maxSubAgents: number;
  /** Spends as much of `wanted` as the agent may write now, and returns that. */
  readonly spend: (budget: BudgetName, wanted?: number) => number;
  /** Spends `cost`, even if that exceeds what is left, and returns the milliseconds until it is covered. */
  readonly reserve: (budget: BudgetName, cost: number) => number;
  /** Counts the lines that were stored. */
  readonly storedLogLines: { inc(count: number): void };
  readonly agent: AgentCaller;
  /** The session's own id; tells its late writes from those of a newer session. */
  readonly connectionId: string;
  /** The negotiated version, such as `2.10` (docs/protocol/rpc.md §1.2). */
  readonly apiVersion: string;
}
