import { Type } from "typebox";

import { type Infer, nullable, oneOf, Timestamp, Uuid } from "../contract/scalars.ts";
import { JobStatus } from "./job.ts";

/** Tags of a job, all of which a provisioner must have to take it; or those of a provisioner. */
export const ProvisionerTags = Type.Record(
  Type.String({ minLength: 1, maxLength: 128 }),
  Type.String({ maxLength: 256 }),
  { maxProperties: 32 },
);
export type ProvisionerTags = Infer<typeof ProvisionerTags>;

/** A key by which provisioners connect, without its secret. */
export const ProvisionerKey = Type.Object({
  id: Uuid,
  created_at: Timestamp,
  organization: Uuid,
  name: Type.String(),
  /** The tags that its provisioners may have. */
  tags: Type.Record(Type.String(), Type.String()),
});
export type ProvisionerKey = Infer<typeof ProvisionerKey>;

export const CreateProvisionerKeyRequest = Type.Object({
  name: Type.String(),
  tags: Type.Optional(nullable(ProvisionerTags)),
});

/** The secret of a new key, which is shown only once. */
export const CreateProvisionerKeyResponse = Type.Object({ key: Type.String() });

/**
 * The number of workers that can take a job: the provisioners that have its tags. A job without tags is for the servers, one
 * of which can always take it.
 */
export const MatchedProvisioners = Type.Object({
  count: Type.Integer(),
  available: Type.Integer(),
  most_recently_seen: nullable(Timestamp),
});
export type MatchedProvisioners = Infer<typeof MatchedProvisioners>;

/** The query for jobs; lists are comma-separated. */
export const JobsQuery = Type.Object({
  limit: Type.Optional(Type.String({ maxLength: 16 })),
  status: Type.Optional(Type.String({ maxLength: 256 })),
  ids: Type.Optional(Type.String({ maxLength: 8_192 })),
  tags: Type.Optional(Type.String({ maxLength: 1_024 })),
  initiator: Type.Optional(Type.String({ maxLength: 64 })),
});
export type JobsQuery = Infer<typeof JobsQuery>;

/** The status of a worker; `offline` means that it has not reported for a while. */
export const WorkerStatus = oneOf("offline", "idle", "busy");
export type WorkerStatus = Infer<typeof WorkerStatus>;

const WorkerJob = Type.Object({
  id: Uuid,
  status: JobStatus,
  template_name: Type.String(),
  template_icon: Type.String(),
  template_display_name: Type.String(),
});

/** A worker: a server, or a provisioner elsewhere. */
export const ProvisionerDaemon = Type.Object({
  id: Uuid,
  organization_id: Uuid,
  key_id: Uuid,
  created_at: Timestamp,
  last_seen_at: Timestamp,
  /** The name of its host, or the one that it was started with. */
  name: Type.String(),
  version: Type.String(),
  api_version: Type.String(),
  /** The provisioners that carry its builds out. */
  provisioners: Type.Array(Type.String()),
  tags: Type.Record(Type.String(), Type.String()),
  key_name: Type.String(),
  status: WorkerStatus,
  current_job: nullable(WorkerJob),
  previous_job: nullable(WorkerJob),
});
export type ProvisionerDaemon = Infer<typeof ProvisionerDaemon>;
