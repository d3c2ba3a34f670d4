import type { BuildParameter } from "@slipway/api/builds/build";

import type { NewBuild } from "../../builds/service.ts";
import { resolveStart } from "../../builds/start-parameters.ts";
import { type BuildableVersion, findPool } from "../../templates/version-service.ts";

/** The pool to claim from, and the values of the claim's build. */
export interface PreparedClaim {
  readonly version: BuildableVersion;
  readonly presetId: string;
  readonly presetName: string;
  readonly parameters: readonly BuildParameter[];
}

/**
 * Finds a pool from which a workspace of this version can be claimed: that of the named preset, or of the preset that
 * the values match. Undefined when there is no such pool; throws `Invalid` for invalid values.
 *
 * The values are chosen as for a first build, because that is what it is to its owner.
 */
export function prepareClaim(
  version: BuildableVersion,
  request: Pick<NewBuild, "presetId" | "parameters">,
): PreparedClaim | undefined {
  const pool = findPool(version, request.presetId, request.parameters);
  if (pool === undefined) return undefined;
  const parameters = resolveStart(version.definition, {
    given: request.parameters,
    preset: pool.preset.name,
    previous: undefined,
  });
  return { version, presetId: pool.id, presetName: pool.preset.name, parameters };
}
