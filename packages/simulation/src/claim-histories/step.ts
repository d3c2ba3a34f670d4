import type { LifecycleState } from "@slipway/api/agents/agent";
import type { Transition } from "@slipway/api/builds/resource";

/**
 * One step of a history. Workspaces, builds, agents and tokens have names that the model and PostgreSQL share: `w3`,
 * `w3/2`, `w3/2/main`; a token has the name of its first agent. Jobs and sessions have names that the step gives
 * them.
 */
export type Step =
  | { readonly type: "look" }
  | {
      readonly type: "create";
      readonly user: string;
      readonly name: string;
      /** True for the preset that has a pool. */
      readonly isPooled: boolean;
    }
  /** Requests for the preset with the pool, which a server claims for in one transaction as far as it can. */
  | {
      readonly type: "create-together";
      readonly wanted: readonly { readonly user: string; readonly name: string }[];
    }
  | {
      readonly type: "build";
      readonly user: string;
      readonly workspace: string;
      readonly transition: Transition;
    }
  | { readonly type: "cancel"; readonly build: string }
  | { readonly type: "acquire"; readonly work: string; readonly worker: string }
  | { readonly type: "finish"; readonly work: string; readonly how: "succeed" | "fail" | "cancel" }
  | { readonly type: "connect"; readonly session: string; readonly token: string }
  | { readonly type: "beat" | "disconnect" | "sub-agent"; readonly session: string }
  | {
      readonly type: "startup";
      readonly session: string;
      readonly decides: "identity" | "frames";
    }
  | {
      readonly type: "report";
      readonly session: string;
      readonly state: LifecycleState;
      /** The delay of the report, in milliseconds. */
      readonly lateMs: number;
    }
  | { readonly type: "grant"; readonly agent: string }
  | { readonly type: "promote"; readonly version: string }
  | { readonly type: "invalidate" }
  /** A worker restarts everything that should run on its machine. */
  | { readonly type: "restore"; readonly worker: string };

/** A step, and the time before it in milliseconds: at least 1, so that no two steps happen at the same time. */
export interface TimedStep {
  readonly afterMs: number;
  readonly step: Step;
}
