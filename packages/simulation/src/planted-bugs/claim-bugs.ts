import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import type { ClaimTransaction } from "@slipway/server/claims";

import { ownRules } from "../model/rules.ts";
import type { Tables } from "../model/tables.ts";
import { View } from "../model/view.ts";
import type { Transaction } from "../store/transaction.ts";
import type { PlantedBug } from "./planted-bug.ts";

/**
 * Chooses without locking and overwrites the current row, as a lock on a view does (docs/protocol/prebuilds.md §1.4).
 */
function unlockedClaim(tables: Tables, trx: Transaction): ClaimTransaction {
  const view = new View(tables, trx);
  return {
    lockPrebuilds: (presetId, { count, except }) =>
      trx.run(() =>
        trx
          .all(tables.workspaces)
          .filter(({ id }) => !except.includes(id) && view.isWaiting(id, presetId, trx.nowMs))
          .slice(0, count)
          .map(({ id }) => id),
      ),
    claimPrebuilds: (_presetId, changes) =>
      trx.run(() => {
        for (const { workspaceId, owner } of changes) {
          trx.update(tables.workspaces, workspaceId, () => ({
            ...owner,
            prebuildPresetId: undefined,
          }));
        }
        return new Set(changes.map(({ workspaceId }) => workspaceId));
      }),
  };
}

const rules = { ...ownRules, claim: unlockedClaim };
/** The worlds in which claims collide: many users, few prebuilds, and no other hazards. */
const crowd = {
  isCrowded: true,
  without: ["database-cut", "build-failure", "build-cancel", "user-builds"],
} as const;

/** Bugs in the claim's transaction. */
export const claimBugs: readonly PlantedBug[] = [
  {
    name: "row-lock-hole",
    summary: "two claims take the same prebuild, and one of them is refused (section 1.4; row 43)",
    breaks: ["L5"],
    requires: { ...crowd, claimsAtOnce: false },
    rules,
    firstSeed: 20,
  },
  {
    name: "stalled-claim-steals",
    summary: "a claim that stalls for a whole claim build takes the workspace from its owner",
    breaks: ["S1"],
    requires: { ...crowd, with: ["slow"], claimsAtOnce: true },
    rules,
  },
  {
    name: "several-agents-lose-their-token",
    summary: "tokens are kept only where there is exactly one agent, sub-agents too (row 36)",
    breaks: ["L1", "L4", "S12"],
    requires: { agentNames: ["main", "gpu"], without: ["compute-replaced"] },
    rules: {
      ...ownRules,
      carriedTokens: (view, predecessor) => {
        const agents = view.agents(predecessor.id);
        return new Map(agents.length === 1 ? agents.map(({ name, token }) => [name, token]) : []);
      },
    },
  },
  {
    name: "restarted-prebuild-loses-its-token",
    summary:
      "tokens are those of the first build, whose rows an administrator's restart ends (row 42)",
    breaks: ["L1", "L4"],
    requires: { with: ["admin-builds"], without: ["compute-replaced"] },
    rules: {
      ...ownRules,
      carriedTokens: (view, { workspaceId, ...predecessor }) => {
        const isFirst = view.builds(workspaceId).at(-1)?.id === predecessor.id;
        return new Map(
          isFirst ? view.rootAgents(predecessor.id).map(({ name, token }) => [name, token]) : [],
        );
      },
    },
  },
  {
    name: "retried-claim-is-no-claim",
    summary:
      "a start after a failed claim gets new tokens, while the old process waits on (row 32)",
    breaks: ["L1", "L4"],
    requires: {
      with: ["build-failure"],
      without: ["compute-replaced", "user-builds", "admin-builds"],
      claimsAtOnce: false,
      keepsCompute: true,
    },
    rules: {
      ...ownRules,
      predecessor: (view, build) => {
        const before = view.builds(build.workspaceId).find(({ number }) => number < build.number);
        return before?.ownerId === prebuildsUserId ? view.predecessor(build) : undefined;
      },
    },
  },
];
