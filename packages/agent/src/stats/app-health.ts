/** An application of the workspace whose health is checked (docs/protocol/agent.md §5.2). */
export interface CheckedApp {
  readonly id: string;
  readonly url: string;
  readonly intervalMs: number;
  readonly threshold: number;
  readonly health: AppHealthState;
}

export type AppHealthState = "initializing" | "healthy" | "unhealthy";

/** The health of an application between two checks. */
export interface HealthRecord {
  readonly health: AppHealthState;
  /** Failures in a row, counted up to the threshold. */
  readonly failures: number;
}

/**
 * Advances the health. One success makes it healthy. Failures are counted up to the threshold, and only the one after
 * that makes it unhealthy.
 */
export function afterCheck(record: HealthRecord, isGood: boolean, threshold: number): HealthRecord {
  if (isGood) return { health: "healthy", failures: 0 };
  if (record.failures < threshold) return { ...record, failures: record.failures + 1 };
  return { ...record, health: "unhealthy" };
}
