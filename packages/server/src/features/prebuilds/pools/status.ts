import type { PoolStatus } from "@slipway/api/prebuilds/routes";

import type { Reconciliation } from "../reconcile/reconcile.ts";
import type { Pool } from "../reconcile/snapshot.ts";

/** Returns whether a pool is filled as far as it can decide itself, and if not, why. */
export function poolStatus(
  { status }: Pick<Pool, "status">,
  { held }: Pick<Reconciliation, "held">,
): Exclude<PoolStatus, "paused"> {
  // Remains until another version fixes it, even while nothing is missing.
  if (status === "validation_failed") return status;
  switch (held) {
    case "hard-limited":
      return "hard_limited";
    case "validation-failed":
      return "validation_failed";
    case "backed-off":
      return "backed_off";
    case undefined:
      return "healthy";
  }
}
