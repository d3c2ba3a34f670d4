import type { DriverBuild, DriverTemplate } from "./driver-build.ts";
import type { DriverLog } from "./driver-log.ts";

export type DriverName = "process" | "docker" | "external" | "terraform" | "kubernetes";

/**
 * What carries builds out on real infrastructure.
 *
 * Every method can be called again after it was cut short at any point, by another process too, and then does what is
 * left: what the driver must know is in the build, in its own state of the previous build, or on the infrastructure.
 * Builds of one workspace come one at a time; those of different workspaces come side by side. Each method ends with the
 * signal's reason when that is aborted, with a `DriverError` when the build has failed, and logs as it goes.
 */
export interface Driver {
  readonly name: DriverName;
  /** Why it starts nothing here and takes no new templates, for people; undefined when it does. Stops and deletions work. */
  readonly refusal?: string | undefined;
  /** What a template version provides. Changes nothing. */
  plan(input: PlanInput, log: DriverLog, signal: AbortSignal): Promise<DriverPlan>;
  /** Starts what is not running yet. Ends agents that are not of this build. */
  start(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult>;
  /** Stops the agents gracefully and keeps what is durable. */
  stop(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult>;
  /** Stops the agents and removes everything. */
  delete(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult>;
  /** Looks at what is really there. Changes nothing. */
  observe(subject: ObserveInput, signal: AbortSignal): Promise<Observed>;
  /**
   * Hands a running prebuild to its new owner. A driver without it needs nothing done: the claim's build is then complete
   * at once, with the state and the agent tokens of the build before it.
   */
  claim?(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult>;
}

export interface PlanInput {
  readonly template: DriverTemplate;
  readonly parameters: Readonly<Record<string, string>>;
  /** The agents that the template declares; a driver whose templates declare them in their own way gets none. */
  readonly agentNames: readonly string[];
}

export interface DriverPlan {
  readonly resources: readonly DriverResource[];
}

/** Something on the infrastructure, as the dashboard lists it. */
export interface DriverResource {
  readonly type: string;
  readonly name: string;
  readonly icon?: string;
  /** The names of the agents in it. */
  readonly agentNames: readonly string[];
}

export interface DriverResult {
  /** The driver's own notes, kept with the build and given to the next one. */
  readonly state: Uint8Array | undefined;
  readonly resources: readonly DriverResource[];
}

export interface ObserveInput {
  readonly workspaceId: string;
  readonly agents: readonly { readonly id: string; readonly token: string }[];
  readonly state: Uint8Array | undefined;
}

/** One entry an agent of the input, in that order. */
export interface Observed {
  readonly agents: readonly ObservedAgent[];
}

export type ObservedAgent =
  | { readonly id: string; readonly status: "absent" }
  | {
      readonly id: string;
      readonly status: "running";
      /** Milliseconds since the epoch. */
      readonly sinceMs: number;
      /** Where it runs, for people: `process 4711`. */
      readonly place: string;
    };
