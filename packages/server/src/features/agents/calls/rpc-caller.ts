import { RpcError } from "@slipway/rpc";
import type { Logger } from "@slipway/runtime";

import type { Queryable } from "../../../platform/db/database.ts";
import type { AgentCaller } from "../../../platform/http/caller.ts";
import { isLive } from "../live-queries.ts";
import type { BudgetName } from "./write-budgets.ts";

/** The caller of RPCs: one session of an agent. Each handler takes the parts that it needs. */
export interface RpcCaller {
  readonly agent: AgentCaller;
  /** The session's own id; distinguishes its late writes from those of a newer session. */
  readonly connectionId: string;
  /** The negotiated version, such as `2.10` (docs/protocol/rpc.md §1.2). */
  readonly apiVersion: string;
  /** A logger whose lines name the agent. */
  readonly logger: Logger;
  /** Spends as much of `wanted` as the agent may write now, and returns that. */
  readonly spend: (budget: BudgetName, wanted?: number) => number;
  /** Spends `cost`, even if that exceeds what is left, and returns the milliseconds until it is covered. */
  readonly reserve: (budget: BudgetName, cost: number, maxWaitMs?: number) => number;
}

/** Spends one unit of a budget. Throws `RpcError` when there is none left. */
export function requireBudget({ spend }: Pick<RpcCaller, "spend">, name: BudgetName): void {
  if (spend(name) === 0) throw new RpcError(`${name}: too many in a short time, try again later`);
}

/** Throws unless the agent is live, for the reason of a statement that changed nothing. */
export async function requireLive(db: Queryable, agentId: string): Promise<void> {
  if (!(await isLive(db, agentId))) throw notLive();
}

/** Creates the error for an agent that was stopped, deleted or replaced since it was authenticated. */
export function notLive(): RpcError {
  return new RpcError(
    "the agent's build is outdated: its workspace was stopped, deleted or built anew",
  );
}
