import type { JobType } from "@slipway/api/jobs/job";

/** Observes how long the stages of jobs take. */
export interface StageSeconds {
  observe(
    labels: { readonly type: JobType; readonly stage: string; readonly outcome: string },
    seconds: number,
  ): void;
}

interface Stage {
  readonly stage: string;
  readonly hasFailed: boolean;
  readonly startedMs: number;
  readonly endedMs: number;
}

/** Returns a function that observes the stages of one job. */
export function stageObserver(seconds: StageSeconds, type: JobType): (stage: Stage) => void {
  return ({ stage, hasFailed, startedMs, endedMs }) => {
    const outcome = hasFailed ? "failed" : "succeeded";
    seconds.observe({ type, stage, outcome }, Math.max(0, endedMs - startedMs) / 1000);
  };
}
