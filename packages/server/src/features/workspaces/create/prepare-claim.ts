import type { BuildParameter } from "@slipway/api";

import type { Queryable } from "../../../platform/db/database.ts";
import { type NewBuild, resolveStart } from "../../builds/service.ts";
import { asBuildable, findPool, type requireVersion } from "../../templates/version-service.ts";

/** The pool to claim from, and the values of the claim's build. */
export interface PreparedClaim {
  readonly version: Awaited<ReturnType<typeof asBuildable>>;
  readonly presetId: string;
  readonly presetName: string;
  readonly parameters: readonly BuildParameter[];
}

/**
 * Finds a pool from which a workspace of this version can be claimed: that of the named preset, or of the preset that
 * the values match. Undefined when there is no such pool; throws the 400 of invalid values.
 *
 * The values are chosen as for a first build, because that is what it is to its owner.
 */
export async function prepareClaim(
  db: Queryable,
  found: Awaited<ReturnType<typeof requireVersion>>,
  request: Pick<NewBuild, "presetId" | "parameters">,
): Promise<PreparedClaim | undefined> {
  const version = await asBuildable(db, found);
  const pool = await findPool(db, version, request.presetId, request.parameters);
  if (pool === undefined) return undefined;
  const parameters = resolveStart(version.definition, {
    given: request.parameters,
    preset: pool.preset.name,
    previous: undefined,
  });
  return { version, presetId: pool.id, presetName: pool.preset.name, parameters };
}
