import {
  nilUuid,
  type Preset,
  type ProvisionerJob,
  type TemplateVersion,
  type TemplateVersionParameter,
} from "@slipway/api";
import { capabilitiesOf } from "@slipway/drivers";
import type { ParameterDefinition, PresetDefinition } from "@slipway/template";

import type { VersionRow } from "./version-queries.ts";

/** Returns the version as clients see it. */
export function versionJson(row: VersionRow, job: ProvisionerJob): TemplateVersion {
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
    // The server that answers has taken its job, or could have.
    matched_provisioners: { count: 1, available: 1, most_recently_seen: row.created_at },
    has_external_agent: capabilitiesOf(row.definition?.driver).hasExternalAgents,
  };
}

/** Returns a parameter as clients see it (docs/protocol/clients.md §2.2). */
export function parameterJson(parameter: ParameterDefinition): TemplateVersionParameter {
  const { validation } = parameter;
  return {
    name: parameter.name,
    ...(parameter.displayName === "" ? {} : { display_name: parameter.displayName }),
    description: parameter.description,
    description_plaintext: parameter.description,
    type: parameter.type,
    form_type: parameter.formType,
    mutable: parameter.isMutable,
    default_value: parameter.default ?? "",
    icon: parameter.icon,
    options: parameter.options.map(({ name, description, value, icon }) => ({
      name,
      description,
      value,
      icon,
    })),
    ...(validation?.error ? { validation_error: validation.error } : {}),
    ...(validation?.regex === undefined ? {} : { validation_regex: validation.regex }),
    ...(validation?.min === undefined ? {} : { validation_min: validation.min }),
    ...(validation?.max === undefined ? {} : { validation_max: validation.max }),
    ...(validation?.monotonic === undefined ? {} : { validation_monotonic: validation.monotonic }),
    required: parameter.default === undefined,
    ephemeral: parameter.isEphemeral,
  };
}

/** Returns a preset as clients see it, under the id that the import gave it. */
export function presetJson(id: string, preset: PresetDefinition): Preset {
  return {
    ID: id,
    Name: preset.name,
    Parameters: preset.parameters.map(({ name, value }) => ({ Name: name, Value: value })),
    Default: preset.isDefault,
    DesiredPrebuildInstances: preset.prebuilds?.instances ?? null,
    Description: preset.description,
    Icon: preset.icon,
  };
}
