import { Type } from "typebox";

import { type Infer, nullable, Timestamp, Uuid } from "../contract/scalars.ts";
import { ProvisionerJob } from "../jobs/job.ts";
import { MatchedProvisioners, ProvisionerTags } from "../jobs/provisioner.ts";

export const TemplateVersion = Type.Object({
  id: Uuid,
  template_id: Uuid,
  organization_id: Uuid,
  created_at: Timestamp,
  updated_at: Timestamp,
  name: Type.String(),
  message: Type.String(),
  job: ProvisionerJob,
  readme: Type.String(),
  created_by: Type.Object({
    id: Uuid,
    username: Type.String(),
    name: Type.Optional(Type.String()),
  }),
  archived: Type.Boolean(),
  has_external_agent: Type.Boolean(),
  matched_provisioners: Type.Optional(MatchedProvisioners),
});
export type TemplateVersion = Infer<typeof TemplateVersion>;

export const CreateTemplateVersionRequest = Type.Object({
  name: Type.Optional(Type.String({ maxLength: 64 })),
  message: Type.Optional(Type.String({ maxLength: 1024 * 1024 })),
  template_id: Type.Optional(Uuid),
  storage_method: Type.Optional(Type.String()),
  file_id: Type.Optional(Uuid),
  /** A starter template, in place of `file_id`. */
  example_id: Type.Optional(Type.String({ maxLength: 64 })),
  provisioner: Type.Optional(Type.String()),
  /** The tags of provisioners that carry out the import and the builds of the version; none for the servers themselves. */
  tags: Type.Optional(nullable(ProvisionerTags)),
});

export const UpdateTemplateVersionRequest = Type.Object({
  name: Type.Optional(Type.String({ maxLength: 64 })),
  message: Type.Optional(nullable(Type.String({ maxLength: 1024 * 1024 }))),
});

/** `all` includes unused versions that were imported, not only those that failed. */
export const ArchiveVersionsRequest = Type.Object({ all: Type.Optional(Type.Boolean()) });
export const ArchiveVersionsResponse = Type.Object({
  template_id: Uuid,
  archived_ids: Type.Array(Uuid),
});
export type ArchiveVersionsResponse = Infer<typeof ArchiveVersionsResponse>;

const VersionReference = Type.Object({ id: Uuid, name: Type.String() });

/** The changes to the definition between two versions, as a unified diff; empty if there are none. */
export const VersionDiff = Type.Object({
  from: VersionReference,
  to: VersionReference,
  diff: Type.String(),
});
export type VersionDiff = Infer<typeof VersionDiff>;

const ParameterOption = Type.Object({
  name: Type.String(),
  description: Type.String(),
  value: Type.String(),
  icon: Type.String(),
});

export const TemplateVersionParameter = Type.Object({
  name: Type.String(),
  display_name: Type.Optional(Type.String()),
  description: Type.String(),
  description_plaintext: Type.String(),
  type: Type.String(),
  form_type: Type.String(),
  mutable: Type.Boolean(),
  default_value: Type.String(),
  icon: Type.String(),
  options: Type.Array(ParameterOption),
  validation_error: Type.Optional(Type.String()),
  validation_regex: Type.Optional(Type.String()),
  validation_min: Type.Optional(Type.Integer()),
  validation_max: Type.Optional(Type.Integer()),
  validation_monotonic: Type.Optional(Type.String()),
  required: Type.Boolean(),
  ephemeral: Type.Boolean(),
});
export type TemplateVersionParameter = Infer<typeof TemplateVersionParameter>;

/** The keys are capitalized on the wire (docs/protocol/clients.md §2.2). */
export const Preset = Type.Object({
  ID: Uuid,
  Name: Type.String(),
  /** The name that people see, if it differs. */
  DisplayName: Type.Optional(Type.String()),
  Parameters: Type.Array(Type.Object({ Name: Type.String(), Value: Type.String() })),
  Default: Type.Boolean(),
  DesiredPrebuildInstances: Type.Union([Type.Integer(), Type.Null()]),
  Description: Type.String(),
  Icon: Type.String(),
});
export type Preset = Infer<typeof Preset>;
