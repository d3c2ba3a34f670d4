import { RpcError } from "@slipway/rpc";

import type { RpcCaller } from "./rpc-caller.ts";
import type { BudgetName } from "./write-budgets.ts";

/** Spends one unit of a budget. Throws `RpcError` when there is none left. */
export function requireBudget({ spend }: Pick<RpcCaller, "spend">, name: BudgetName): void {
  if (spend(name) === 0) throw new RpcError(`${name}: too many in a short time, try again later`);
}
