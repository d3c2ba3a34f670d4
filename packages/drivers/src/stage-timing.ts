/**
 * The duration of a stage of a driver's work, reported when it has ended. Times are milliseconds since the epoch on the clock of
 * the driver's machine.
 */
export interface StageTiming {
  /** `graph` reads the resources and their relations. */
  readonly stage: "init" | "plan" | "graph" | "apply";
  readonly hasFailed: boolean;
  readonly startedMs: number;
  readonly endedMs: number;
  /** The longest steps, at most `maxSteps`, in the order of their start. */
  readonly steps: readonly StepTiming[];
}

/** The duration of one action on one resource. */
export interface StepTiming {
  /** The provider: `docker`. */
  readonly source: string;
  /** `create`, `read`, `provision`, … */
  readonly action: string;
  readonly resource: string;
  readonly startedMs: number;
  readonly endedMs: number;
}

/** The maximum number of steps of a stage that are kept. */
export const maxSteps = 500;
