import type { AgentRow } from "./tables.ts";

/**
 * Reports whether an agent's report that it is starting concerns its life as this row, like `isOfThisLife` in the
 * server's queries.
 */
export function isOfThisLife(
  row: AgentRow,
  changedAtMs: number,
  authenticatedAtMs: number,
): boolean {
  const { reinitWasReceived, decidesByIdentity, clockAheadMs = 0 } = row;
  const { firstConnectedAtMs = authenticatedAtMs } = row;
  if (reinitWasReceived || decidesByIdentity) return true;
  return changedAtMs - firstConnectedAtMs >= clockAheadMs;
}
