import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { type Infer, nullable, Timestamp } from "../contract/scalars.ts";
import { OrganizationParams } from "../organizations/routes.ts";
import { ProvisionerJob } from "./job.ts";

/** Workers that may take a job. Every server is one. */
export const MatchedProvisioners = Type.Object({
  count: Type.Integer(),
  available: Type.Integer(),
  most_recently_seen: nullable(Timestamp),
});
export type MatchedProvisioners = Infer<typeof MatchedProvisioners>;

/** Lists are comma-separated. */
export const JobsQuery = Type.Object({
  limit: Type.Optional(Type.String({ maxLength: 16 })),
  status: Type.Optional(Type.String({ maxLength: 256 })),
  ids: Type.Optional(Type.String({ maxLength: 8_192 })),
  tags: Type.Optional(Type.String({ maxLength: 1_024 })),
  initiator: Type.Optional(Type.String({ maxLength: 64 })),
});
export type JobsQuery = Infer<typeof JobsQuery>;

export const listProvisionerJobs = defineRoute({
  method: "GET",
  path: "/organizations/:organization/provisionerjobs",
  summary: "List imports, builds and dry runs, newest first",
  params: OrganizationParams,
  query: JobsQuery,
  response: Type.Array(ProvisionerJob),
});

/** Work is done by the servers themselves; workers that are processes of their own do not exist. */
export const listProvisionerDaemons = defineRoute({
  method: "GET",
  path: "/organizations/:organization/provisionerdaemons",
  summary: "List workers of their own: there are none",
  params: OrganizationParams,
  response: Type.Array(Type.Unknown()),
});
