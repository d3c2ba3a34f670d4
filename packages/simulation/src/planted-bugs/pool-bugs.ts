import { ownRules } from "../model/rules.ts";
import type { PlantedBug } from "./planted-bug.ts";

/** Bugs in the reconciliation. */
export const poolBugs: readonly PlantedBug[] = [
  {
    name: "expired-ones-leak",
    summary: "expired prebuilds of a version that is no longer active stay (section 2.5, row 2)",
    breaks: ["L6"],
    // An invalidation would remove them too.
    requires: { with: ["new-version"], without: ["invalidation"], expires: true },
    firstSeed: 40,
    rules: {
      ...ownRules,
      reconcile: (snapshot, nowMs, limits) => {
        const plan = ownRules.reconcile(snapshot, nowMs, limits);
        const { isActive, expireAfterMs = Number.POSITIVE_INFINITY } = snapshot.pool;
        if (isActive) return plan;
        const expired = new Set(
          snapshot.prebuilds
            .filter(({ build }) => nowMs - build.createdAtMs > expireAfterMs)
            .map(({ workspaceId }) => workspaceId),
        );
        return { ...plan, remove: plan.remove.filter((id) => !expired.has(id)) };
      },
    },
  },
];
