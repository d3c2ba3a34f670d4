import type { BuildParameter } from "@slipway/api";
import { resolveParameters, type TemplateDefinition } from "@slipway/template";

import { invalidField, invalidFields } from "../../platform/errors/errors.ts";
import { type BuildableVersion, presetsOf } from "../templates/version-service.ts";

/** The values that a start is given, and where others come from. */
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

/** Resolves the same values with the name of the preset. */
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
