import type { AgentRow } from "./tables.ts";

/** Whether a report that an agent is starting is of its life as this row, as `isOfThisLife` of the server's queries says. */
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
