import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { ProvisionerJob } from "../jobs/job.ts";
import { JobsQuery, ProvisionerDaemon } from "../jobs/provisioner.ts";
import { OrganizationParams } from "./routes.ts";

export const listProvisionerJobs = defineRoute({
  method: "GET",
  path: "/organizations/:organization/provisionerjobs",
  summary: "List provisioner jobs, newest first",
  scopes: ["organization:read"],
  params: OrganizationParams,
  query: JobsQuery,
  response: Type.Array(ProvisionerJob),
});

export const listProvisionerDaemons = defineRoute({
  method: "GET",
  path: "/organizations/:organization/provisionerdaemons",
  summary: "List the servers that carry out provisioner jobs",
  scopes: ["organization:read"],
  params: OrganizationParams,
  query: Type.Object({
    limit: Type.Optional(Type.String({ maxLength: 16 })),
    /** `true` includes offline workers. */
    offline: Type.Optional(Type.String({ maxLength: 5 })),
    /** A comma-separated list. */
    status: Type.Optional(Type.String({ maxLength: 64 })),
    /** A comma-separated list. */
    ids: Type.Optional(Type.String({ maxLength: 8_192 })),
    /** The maximum age of a worker's last report, as a Go duration. */
    max_age: Type.Optional(Type.String({ maxLength: 32 })),
  }),
  response: Type.Array(ProvisionerDaemon),
});
