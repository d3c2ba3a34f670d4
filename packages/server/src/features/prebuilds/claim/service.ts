import type { Queryable } from "../../../platform/db/database.ts";
import { type NewOwner, takePrebuild as take } from "./claim.ts";
import { type OwnerSettings, sqlClaim } from "./sql-claim.ts";

/** Takes a workspace from the pool of a preset, in the caller's transaction; undefined when none is waiting. */
export function takePrebuild(
  trx: Queryable,
  presetId: string,
  { settings, ...owner }: NewOwner & { readonly settings: OwnerSettings },
): Promise<string | undefined> {
  return take(sqlClaim(trx, settings), presetId, owner);
}
