import type { BuildParameter } from "@slipway/api/builds/build";
import { nilUuid } from "@slipway/api/contract/nil-uuid";
import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import {
  type ParameterDefinition,
  resolveParameters,
  type TemplateDefinition,
} from "@slipway/template";

import type { Queryable } from "../../platform/db/database.ts";
import { Conflict, Invalid, invalidField, invalidFields } from "../../platform/errors/errors.ts";
import { type ParameterReader, readForStart } from "../templates/parameter-service.ts";
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
  /** Needed for given values of a version whose parameters depend on each other; undefined otherwise. */
  readonly evaluation: StartEvaluation | undefined;
}

/** A version, as far as the choice of values is concerned. */
type PresetVersion = Pick<BuildableVersion, "id" | "definition" | "presets">;

/** The parameters that a version has for the values of a start, as they were before its transaction. */
export interface StartEvaluation {
  readonly versionId: string;
  /** The build whose values the start keeps; undefined for the first one. */
  readonly previousId: string | undefined;
  readonly parameters: readonly ParameterDefinition[];
}

/**
 * Chooses the values of a start; throws `Invalid` for those that do not fit, and `Conflict` for given ones whose parameters were
 * not read for this version and these previous values. Where parameters depend on each other and no value is given, those of the
 * preset and of the previous build stay as they are: the driver checks and completes them.
 */
export function chooseParameters(
  version: PresetVersion,
  { evaluation, ...sources }: ParameterSources,
): readonly BuildParameter[] {
  const { definition } = version;
  const preset = presetName(version, sources.presetId);
  if (definition.parameterSources === undefined) {
    return resolveStart(definition, { ...sources, preset });
  }
  if (evaluation?.versionId === version.id) {
    const { parameters } = evaluation;
    return resolveStart({ ...definition, parameters }, { ...sources, preset });
  }
  if (sources.given.length === 0) {
    const fixed = definition.presets.find(({ name }) => name === preset)?.parameters ?? [];
    return valuesOf(lasting(definition, sources.previous ?? []), fixed);
  }
  throw new Conflict("The version or the values of the workspace have changed meanwhile.", {
    detail: "Look at its parameters again, then try again.",
  });
}

/** Returns the values of several sources by their names; later ones take precedence. */
function valuesOf(...sources: readonly (readonly BuildParameter[])[]): readonly BuildParameter[] {
  const values = new Map(sources.flat().map(({ name, value }) => [name, value]));
  return [...values].map(([name, value]) => ({ name, value }));
}

/** Leaves out values for one build only, and those of parameters that a version does not declare. */
function lasting(
  { parameterSources = [] }: Pick<TemplateDefinition, "parameterSources">,
  previous: readonly BuildParameter[],
): readonly BuildParameter[] {
  const ephemeral = new Set(
    parameterSources.filter((one) => one.mayBeEphemeral).map(({ name }) => name),
  );
  const known = new Set(parameterSources.map(({ name }) => name));
  return previous.filter(
    ({ name }) => !ephemeral.has(name) && (known.has(undefined) || known.has(name)),
  );
}

/** A start, whose values come from those given, the preset and the previous build. */
interface EvaluatedStart extends Omit<ParameterSources, "evaluation" | "previous"> {
  readonly version: BuildableVersion;
  readonly ownerId: string;
  readonly previous:
    | { readonly id: string; readonly values: readonly BuildParameter[] }
    | undefined;
}

/**
 * Reads the parameters of a version for a start, on behalf of a user; undefined if they are the same for all values. It may take
 * seconds: call it before the transaction. Throws `Invalid` if they cannot be read.
 */
export async function evaluateStart(
  reader: Pick<ParameterReader, "read">,
  userId: string,
  { version, ownerId, given, presetId, previous }: EvaluatedStart,
  signal: AbortSignal,
): Promise<StartEvaluation | undefined> {
  const { definition } = version;
  if (definition.parameterSources === undefined) return undefined;
  const preset = presetsOf(version).find(({ id }) => id === presetId)?.preset.parameters ?? [];
  const chosen = valuesOf(lasting(definition, previous?.values ?? []), given, preset);
  const values = Object.fromEntries(chosen.map(({ name, value }) => [name, value]));
  const { parameters } = await readForStart(reader, userId, { version, ownerId, values }, signal);
  return { versionId: version.id, previousId: previous?.id, parameters };
}

/** Chooses the values of a start whose preset is named; throws `Invalid` for those that do not fit. */
export function resolveStart(
  definition: TemplateDefinition,
  {
    given,
    preset,
    previous,
  }: Pick<ParameterSources, "given" | "previous"> & { readonly preset: string | undefined },
): readonly BuildParameter[] {
  const resolved = resolveParameters(definition, {
    given,
    ...(preset === undefined ? {} : { preset }),
    ...(previous === undefined ? {} : { previous }),
  });
  if ("values" in resolved) return resolved.values;
  throw invalidFields(resolved.problems.map(({ field, message }) => ({ field, detail: message })));
}

function presetName(version: PresetVersion, presetId: string | undefined): string | undefined {
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
  const sources = { given: [], presetId, previous: undefined, evaluation: undefined };
  const parameters = chooseParameters(version, sources);
  requireRenderable(prebuildContext(version.definition), parameters);
}

interface CheckNeeds {
  readonly db: Queryable;
  readonly parameters: Pick<ParameterReader, "read">;
}

/** Returns whether the values of the newest build suffice for a start with another version, for its owner. */
export async function canStartWith(
  { db, parameters: reader }: CheckNeeds,
  {
    userId,
    workspaceId,
    versionId,
  }: Readonly<Record<"userId" | "workspaceId" | "versionId", string>>,
  signal: AbortSignal,
): Promise<boolean> {
  const last = await selectLastBuild(db, workspaceId);
  const [version, previous] = await Promise.all([
    requireImported(db, versionId),
    last === undefined ? [] : selectParameters(db, last.id),
  ]);
  const start = {
    version,
    ownerId: last?.owner_id ?? userId,
    given: [],
    presetId: undefined,
    previous: { id: last?.id ?? "", values: previous },
  };
  try {
    const evaluation = await evaluateStart(reader, userId, start, signal);
    const { parameters } = evaluation ?? version.definition;
    return (
      "values" in resolveParameters({ ...version.definition, parameters }, { given: [], previous })
    );
  } catch (error) {
    if (error instanceof Invalid) return false;
    throw error;
  }
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
