import { nilUuid } from "@slipway/api/contract/nil-uuid";
import type { ProvisionerJob } from "@slipway/api/jobs/job";
import type { Preset, TemplateVersion } from "@slipway/api/templates/template-version";
import type { NamedValue, PresetDefinition, TemplateDefinition } from "@slipway/template";

import type { Queryable } from "../../platform/db/database.ts";
import {
  Invalid,
  notFound,
  NotFound,
  NotReady,
  PreconditionFailed,
} from "../../platform/errors/errors.ts";
import { readJob, readJobs } from "../../platform/jobs/service.ts";
import { declaresExternalAgents } from "./external-agents-service.ts";
import {
  selectPreviousVersion,
  selectVersion,
  selectVersionByName,
  selectVersions,
  type VersionRow,
} from "./version-queries.ts";

/** Reads a version as clients see it; throws `NotFound`. */
export async function readVersion(db: Queryable, id: string): Promise<TemplateVersion> {
  const row = await requireVersion(db, id);
  return versionJson(row, await readJob(db, row.job_id));
}

/** Reads the versions of a template, oldest first. */
export async function readVersions(
  db: Queryable,
  templateId: string,
  includeArchived: boolean,
): Promise<TemplateVersion[]> {
  const rows = await selectVersions(db, templateId, includeArchived);
  const jobs = await readJobs(
    db,
    rows.map((row) => row.job_id),
  );
  return rows.flatMap((row) => {
    const job = jobs.get(row.job_id);
    return job === undefined ? [] : [versionJson(row, job)];
  });
}

/** Reads a version by its name within its template; throws `NotFound`. */
export async function readVersionByName(
  db: Queryable,
  templateId: string,
  name: string,
): Promise<TemplateVersion> {
  const row = await selectVersionByName(db, templateId, name);
  if (row === undefined) throw notFound();
  return versionJson(row, await readJob(db, row.job_id));
}

/** Reads the newest imported version from before the named one; throws `NotFound`. */
export async function readPreviousVersion(
  db: Queryable,
  templateId: string,
  name: string,
): Promise<TemplateVersion> {
  const { id } = await readVersionByName(db, templateId, name);
  const row = await selectPreviousVersion(db, templateId, id);
  if (row === undefined) {
    throw new NotFound(`No previous template version found for "${name}".`);
  }
  return versionJson(row, await readJob(db, row.job_id));
}

/** Reads a version's row; throws `NotFound`. */
export async function requireVersion(db: Queryable, id: string): Promise<VersionRow> {
  const row = await selectVersion(db, id);
  if (row === undefined) throw notFound();
  return row;
}

/** Reads a version with its definition; throws `PreconditionFailed` while its import has not succeeded. */
export async function requireImported(
  db: Queryable,
  id: string,
): Promise<VersionRow & { readonly definition: TemplateDefinition }> {
  const row = await requireVersion(db, id);
  const { definition } = row;
  if (definition === null) {
    throw new PreconditionFailed("The template version has not been imported.", {
      detail: "Its import is still running, or has failed. See its log for details.",
    });
  }
  return { ...row, definition };
}

/** A version that workspaces can be created from. */
export type BuildableVersion = VersionRow & { readonly definition: TemplateDefinition };

/**
 * Reads a version that workspaces can be created from (docs/protocol/clients.md §6). Throws `NotReady` while its import
 * runs, `Invalid` when that has failed.
 */
export async function requireBuildable(db: Queryable, id: string): Promise<BuildableVersion> {
  return asBuildable(db, await requireVersion(db, id));
}

/** Checks that workspaces can be created from a version that was already read; throws the same errors. */
export async function asBuildable(db: Queryable, row: VersionRow): Promise<BuildableVersion> {
  const { definition, name } = row;
  if (definition !== null) return { ...row, definition };
  const { status, error } = await readJob(db, row.job_id);
  if (status === "pending" || status === "running") {
    throw new NotReady(`The template version "${name}" is still being imported.`, {
      detail: "Wait until its import has finished, then try again.",
    });
  }
  throw new Invalid(`The template version "${name}" could not be imported.`, {
    detail: error ?? `The status of its import is ${status}.`,
  });
}

/** A preset with the id that its version's import assigned. */
interface StoredPreset {
  readonly id: string;
  readonly preset: PresetDefinition;
}

/** Returns the presets of a version. */
export function presetsOf({ definition, presets }: VersionPresets): readonly StoredPreset[] {
  return definition.presets.flatMap((preset) => {
    const id = presets.find(({ name }) => name === preset.name)?.id;
    return id === undefined ? [] : [{ id, preset }];
  });
}

type VersionPresets = Pick<BuildableVersion, "definition" | "presets">;

/**
 * Finds the preset that values match without naming it: all of its values are among them, and it sets the most
 * (docs/protocol/prebuilds.md §1.3).
 */
export function findMatchingPreset(
  version: VersionPresets,
  values: readonly NamedValue[],
): string | undefined {
  return matchingPreset(presetsOf(version), values)?.id;
}

/** Finds the preset with a pool that a request names, or that its values match. */
export function findPool(
  version: VersionPresets,
  presetId: string | undefined,
  values: readonly NamedValue[],
): StoredPreset | undefined {
  const presets = presetsOf(version);
  const found =
    presetId === undefined
      ? matchingPreset(presets, values)
      : presets.find(({ id }) => id === presetId);
  return found?.preset.prebuilds === undefined ? undefined : found;
}

/**
 * Returns the preset with the most parameters, among those whose every parameter has its value in `values`; the first
 * of equals.
 */
export function matchingPreset<P extends { readonly preset: Pick<PresetDefinition, "parameters"> }>(
  presets: readonly P[],
  values: readonly NamedValue[],
): P | undefined {
  const given = new Map(values.map(({ name, value }) => [name, value]));
  return presets
    .filter(({ preset }) => preset.parameters.every(({ name, value }) => given.get(name) === value))
    .toSorted((a, b) => b.preset.parameters.length - a.preset.parameters.length)[0];
}

/** Returns the version as clients see it. */
function versionJson(row: VersionRow, job: ProvisionerJob): TemplateVersion {
  return {
    id: row.id,
    template_id: row.template_id ?? nilUuid,
    organization_id: row.organization_id,
    created_at: row.created_at,
    updated_at: row.updated_at,
    name: row.name,
    message: row.message,
    job,
    readme: row.readme,
    created_by: {
      id: row.created_by,
      username: row.created_by_username,
      name: row.created_by_name,
    },
    archived: row.archived,
    // Without tags, the server that answers has taken its job, or could have.
    matched_provisioners: row.matched_provisioners ?? {
      count: 1,
      available: 1,
      most_recently_seen: row.created_at,
    },
    has_external_agent: declaresExternalAgents(row.definition),
  };
}

/** Returns a preset as clients see it, under the id that the import gave it. */
export function presetJson(id: string, preset: PresetDefinition): Preset {
  return {
    ID: id,
    Name: preset.name,
    ...(preset.displayName === preset.name ? {} : { DisplayName: preset.displayName }),
    Parameters: preset.parameters.map(({ name, value }) => ({ Name: name, Value: value })),
    Default: preset.isDefault,
    DesiredPrebuildInstances: preset.prebuilds?.instances ?? null,
    Description: preset.description,
    Icon: preset.icon,
  };
}
