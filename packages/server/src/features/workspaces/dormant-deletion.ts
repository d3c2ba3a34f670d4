import { timestampMs } from "../../platform/db/timestamp.ts";

/** The shortest time between the message that announces a deletion and the deletion, in milliseconds. */
export const lastDayMs = 24 * 3_600_000;

/** The columns of a workspace and its template that decide when it is deleted. */
export interface DeletionColumns {
  readonly dormant_at: string | null;
  readonly last_day_at: string | null;
  readonly template_time_til_dormant_autodelete_ms: number;
  readonly template_dormant_autodelete_set_at: string;
}

/** The deletion of a dormant workspace. */
export interface DormantDeletion {
  /** Its time, in milliseconds since the epoch. */
  readonly at: number;
  /** True if its last day has begun, at whose start its owner gets a message. */
  readonly isAnnounced: boolean;
}

/**
 * Returns when a dormant workspace is deleted; undefined for one that is not dormant, or whose template deletes none.
 *
 * A deletion always ends a last day that began under the current rule: neither an outage of the server nor a rule that was
 * set or shortened takes that day away.
 */
export function deletionOf(columns: DeletionColumns): DormantDeletion | undefined {
  const afterMs = columns.template_time_til_dormant_autodelete_ms;
  if (columns.dormant_at === null || afterMs === 0) return undefined;
  const setAt = timestampMs(columns.template_dormant_autodelete_set_at);
  const earliest = Math.max(timestampMs(columns.dormant_at) + afterMs, setAt + lastDayMs);
  const lastDayEnd = (timestampMs(columns.last_day_at) ?? -Infinity) + lastDayMs;
  return { at: Math.max(earliest, lastDayEnd), isAnnounced: lastDayEnd >= earliest };
}
