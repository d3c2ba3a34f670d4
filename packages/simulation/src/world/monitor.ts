import type { PoolSnapshot, Reconciliation } from "@slipway/server/claims";

import type { Commit } from "../store/database.ts";

/** The server's answer to an agent on `/reinit`. */
export type ReinitReply =
  | { readonly kind: "refused"; readonly token: string }
  | { readonly kind: "ended"; readonly token: string }
  | {
      readonly kind: "frame";
      readonly token: string;
      readonly workspaceId: string;
      readonly ownerId: string;
      /** The age of the agent's request, in milliseconds. */
      readonly ageMs: number;
      /** True if it asked before the claim. */
      readonly isOlderThanClaim: boolean;
    };

/** One run of start scripts. */
export interface ScriptRun {
  readonly processId: string;
  readonly token: string;
  readonly workspaceId: string;
  readonly ownerName: string;
  readonly agentId: string;
}

/** A request for a workspace of a pool, from its transaction's first statement to its end. */
export interface ClaimAttempt {
  readonly id: string;
  readonly presetId: string;
}

/**
 * The end of a claim. `none`: nothing waited; `refused`: the user was asked to retry; `failed`: the database
 * connection broke, or the name is taken.
 */
export type ClaimOutcome = "claimed" | "none" | "refused" | "failed";

/** A watcher of a world. Each method is called at the moment of its event and throws `Violation`. */
export interface Monitor {
  committed?(commit: Commit): void;
  answered?(reply: ReinitReply): void;
  scriptsStarted?(run: ScriptRun): void;
  planned?(snapshot: PoolSnapshot, plan: Reconciliation): void;
  /** Called when the row named `rowKey` is locked. */
  locked?(key: string): void;
  claimBegan?(attempt: ClaimAttempt): void;
  claimEnded?(attempt: ClaimAttempt, outcome: ClaimOutcome): void;
}

/** The error for an invariant of docs/protocol/prebuilds.md §7 that does not hold. */
export class Violation extends Error {
  override readonly name = "Violation";
  readonly code = "violation";
  readonly invariant: string;
  readonly workspaceId: string | undefined;

  constructor(invariant: string, message: string, workspaceId?: string) {
    super(message);
    this.invariant = invariant;
    this.workspaceId = workspaceId;
  }
}
