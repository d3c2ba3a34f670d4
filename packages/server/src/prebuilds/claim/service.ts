import type { Queryable } from "../../db/database.ts";
import { type NewOwner, takePrebuild as take } from "./claim.ts";
import { sqlClaim } from "./sql-claim.ts";

/** Takes a workspace that waits in the pool of a preset, on the caller's transaction; undefined when none waits. */
export function takePrebuild(
  trx: Queryable,
  presetId: string,
  owner: NewOwner,
): Promise<string | undefined> {
  return take(sqlClaim(trx), presetId, owner);
}
