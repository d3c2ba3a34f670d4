import type { Logger } from "@slipway/runtime";

import type { AgentCaller } from "../../../platform/http/caller.ts";
import type { BudgetName } from "./write-budgets.ts";

/** The caller of RPCs: one session of an agent. Each handler takes the parts that it needs. */
export interface RpcCaller {
  readonly agent: AgentCaller;
  /** The session's own id; tells its late writes from those of a newer session. */
  readonly connectionId: string;
  /** The negotiated version, such as `2.10` (docs/protocol/rpc.md §1.2). */
  readonly apiVersion: string;
  /** Names the agent in its lines. */
  readonly logger: Logger;
  /** Spends as much of `wanted` as the agent may write now, and returns that. */
  readonly spend: (budget: BudgetName, wanted?: number) => number;
  /** Spends `cost`, even if that exceeds what is left, and returns the milliseconds until it is covered. */
  readonly reserve: (budget: BudgetName, cost: number, maxWaitMs?: number) => number;
}
