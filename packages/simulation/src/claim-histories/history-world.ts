import type { Snapshot } from "./snapshot.ts";
import type { Step } from "./step.ts";

/** The simulation's model, or PostgreSQL with the production statements. */
export interface HistoryWorld extends AsyncDisposable {
  /** Advances time by whole milliseconds. */
  pass(ms: number): Promise<void>;
  /** Resolves to the answer that the step's actor received. */
  take(step: Step): Promise<string>;
  /** Returns the rows, and the views of this turn. */
  read(turn: number): Promise<Snapshot>;
}

/** The initial state of a world. */
export interface Beginning {
  readonly driver: "external" | "manual" | "process";
  readonly agentNames: readonly string[];
  readonly instances: number;
  /** The age at which prebuilds expire; 0 for never. */
  readonly expireAfterSeconds: number;
}

export const users = ["u1", "u2"] as const;
export const versions = ["v1", "v2"] as const;

/** Limits of the reconciler with which failures cause only short delays. */
export const limits = { backoffMs: 5_000, lookbackMs: 60_000, failureHardLimit: 3 };
