import type { BuildParameter } from "@slipway/api/builds/build";
import { nilUuid } from "@slipway/api/contract/nil-uuid";
import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import { resolveParameters, type TemplateDefinition } from "@slipway/template";

import type { Queryable } from "../../platform/db/database.ts";
import { invalidField, invalidFields } from "../../platform/errors/errors.ts";
import {
  type BuildableVersion,
  presetsOf,
  requireBuildable,
  requireImported,
} from "../templates/version-service.ts";
import { selectLastBuild, selectParameters } from "./queries.ts";
import { type RenderContext, requireRenderable } from "./render.ts";

/** The values given to a start, and the sources of the others. */
interface ParameterSources {
  readonly given: readonly BuildParameter[];
  readonly presetId: string | undefined;
  readonly previous: readonly BuildParameter[] | undefined;
}

/** Chooses the values of a start; throws `Invalid` for those that do not fit. */
export function chooseParameters(
  version: BuildableVersion,
  sources: ParameterSources,
): readonly BuildParameter[] {
  const preset = presetName(version, sources.presetId);
  return resolveStart(version.definition, { ...sources, preset });
}

/** Chooses the values of a start whose preset is named; throws `Invalid` for those that do not fit. */
export function resolveStart(
  definition: TemplateDefinition,
  {
    given,
    preset,
    previous,
  }: Omit<ParameterSources, "presetId"> & { readonly preset: string | undefined },
): readonly BuildParameter[] {
  const resolved = resolveParameters(definition, {
    given,
    ...(preset === undefined ? {} : { preset }),
    ...(previous === undefined ? {} : { previous }),
  });
  if ("values" in resolved) return resolved.values;
  throw invalidFields(resolved.problems.map(({ field, message }) => ({ field, detail: message })));
}

function presetName(version: BuildableVersion, presetId: string | undefined): string | undefined {
  if (presetId === undefined) return undefined;
  const found = presetsOf(version).find(({ id }) => id === presetId);
  if (found === undefined) {
    throw invalidField(
      "template_version_preset_id",
      `must be the ID of a preset of the template version, found ${presetId}`,
    );
  }
  return found.preset.name;
}

/** Throws the error that a first start of a version with only a preset's values would throw; changes nothing. */
export async function checkStart(
  db: Queryable,
  { versionId, presetId }: { readonly versionId: string; readonly presetId: string },
): Promise<void> {
  const version = await requireBuildable(db, versionId);
  const sources = { given: [], presetId, previous: undefined };
  const parameters = chooseParameters(version, sources);
  requireRenderable(prebuildContext(version.definition), parameters);
}

/** Returns whether the values of the newest build suffice for a start with another version. */
export async function canStartWith(
  db: Queryable,
  workspaceId: string,
  versionId: string,
): Promise<boolean> {
  const last = await selectLastBuild(db, workspaceId);
  const [version, previous] = await Promise.all([
    requireImported(db, versionId),
    last === undefined ? [] : selectParameters(db, last.id),
  ]);
  return "values" in resolveParameters(version.definition, { given: [], previous });
}

/** Returns the context of a prebuild that does not exist yet, for that check. */
function prebuildContext(definition: TemplateDefinition): RenderContext {
  return {
    definition,
    owner_id: prebuildsUserId,
    owner_username: "prebuilds",
    owner_name: "",
    owner_email: "prebuilds@system",
    workspace_id: nilUuid,
    workspace_name: "prebuild",
    template_name: "template",
    template_version_name: "version",
  };
}
