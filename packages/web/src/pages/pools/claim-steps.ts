import type { PrebuildClaim } from "@slipway/api/prebuilds/routes";

/** A step of a claim, and the time from the claim until it. */
export interface ClaimStep {
  readonly label: string;
  /** Undefined if it has not happened, or is not recorded. */
  readonly afterMs: number | undefined;
}

type Times = Pick<
  PrebuildClaim,
  "claimed_at" | "reinit_sent_at" | "reinit_received_at" | "ready_at"
>;

/** Returns the steps of a claim in their order. */
export function claimSteps(claim: Times): readonly ClaimStep[] {
  const began = Date.parse(claim.claimed_at);
  const after = (time: string | null): number | undefined =>
    time === null ? undefined : Math.max(0, Date.parse(time) - began);
  return [
    { label: "agent told", afterMs: after(claim.reinit_sent_at) },
    { label: "agent restarted", afterMs: after(claim.reinit_received_at) },
    { label: "ready", afterMs: after(claim.ready_at) },
  ];
}
