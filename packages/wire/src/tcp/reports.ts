import { unwrapSequence } from "./sequence.ts";

/** The content of a SACK option, in offsets. */
export interface Reports {
  /** The reported ranges, as start and end of one after the other. */
  readonly sacks: readonly number[];
  /** True if the first range reports that data was received twice (RFC 2883). */
  readonly wasReceivedTwice: boolean;
}

const noReports: Reports = { sacks: [], wasReceivedTwice: false };

/** The sent, unacknowledged data: only ranges of it count. */
export interface SendSpace {
  readonly una: number;
  readonly end: number;
}

/** Reads the edges of a SACK option. Ranges that were not sent, or make no sense, are dropped. */
export function readReports(
  edges: readonly number[],
  initialSequence: number,
  { una, end }: SendSpace,
): Reports {
  if (edges.length === 0) return noReports;
  const offsets = edges.map((edge) => unwrapSequence(initialSequence, edge, una));
  const sacks: number[] = [];
  for (let index = 0; index < offsets.length; index += 2) {
    const rangeStart = offsets[index] ?? 0;
    const rangeEnd = offsets[index + 1] ?? 0;
    if (rangeStart >= una && rangeStart < rangeEnd && rangeEnd <= end)
      sacks.push(rangeStart, rangeEnd);
  }
  return { sacks, wasReceivedTwice: isDuplicate(offsets, una) };
}

/** RFC 2883 §4: the first range lies below the acknowledgment, or within the second. */
function isDuplicate(
  [start = 0, end = 0, nextStart, nextEnd]: readonly number[],
  una: number,
): boolean {
  if (start >= end) return false;
  if (end <= una) return true;
  return nextStart !== undefined && nextEnd !== undefined && start >= nextStart && end <= nextEnd;
}
