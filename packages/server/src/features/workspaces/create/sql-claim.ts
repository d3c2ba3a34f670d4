import type { Queryable } from "../../../platform/db/database.ts";
import { type ClaimedBuild, type ClaimTerms, takeWorkspace } from "./claim-queries.ts";
import { lockPrebuild } from "./take-prebuild-queries.ts";
import type { ClaimTransaction } from "./take-prebuild.ts";

/** A claim transaction on PostgreSQL. */
export interface SqlClaim extends ClaimTransaction {
  /** The basis of the claim's build; undefined until a prebuild has changed its owner. */
  readonly claimed: ClaimedBuild | undefined;
}

/** Returns the claim transaction, on PostgreSQL. */
export function sqlClaim(trx: Queryable, terms: ClaimTerms): SqlClaim {
  let claimed: ClaimedBuild | undefined;
  return {
    get claimed() {
      return claimed;
    },
    lockPrebuild: (presetId, except) => lockPrebuild(trx, presetId, except),
    changeOwner: async (id, presetId, owner) => {
      const taken = await takeWorkspace(trx, { id, presetId }, owner, terms);
      claimed = taken ?? claimed;
      return taken !== undefined;
    },
  };
}
