import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { ProvisionerJob } from "../jobs/job.ts";
import {
  CreateProvisionerKeyRequest,
  CreateProvisionerKeyResponse,
  JobsQuery,
  ProvisionerDaemon,
  ProvisionerKey,
} from "../jobs/provisioner.ts";
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
  summary: "List the servers and provisioners that carry out provisioner jobs",
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

export const createProvisionerKey = defineRoute({
  method: "POST",
  path: "/organizations/:organization/provisionerkeys",
  summary: "Create a key by which provisioners connect",
  params: OrganizationParams,
  body: CreateProvisionerKeyRequest,
  status: 201,
  response: CreateProvisionerKeyResponse,
});

export const listProvisionerKeys = defineRoute({
  method: "GET",
  path: "/organizations/:organization/provisionerkeys",
  summary: "List the keys of provisioners",
  scopes: ["organization:read"],
  params: OrganizationParams,
  response: Type.Array(ProvisionerKey),
});

export const deleteProvisionerKey = defineRoute({
  method: "DELETE",
  path: "/organizations/:organization/provisionerkeys/:key",
  summary: "Delete a provisioner key by its name or id, and disconnect its provisioners",
  scopes: ["organization:update"],
  params: Type.Object({ organization: Type.String(), key: Type.String() }),
  status: 204,
  response: Type.Null(),
});

/** The session of a provisioner: docs/protocol/provisioners.md. */
export const serveProvisioner = defineRoute({
  method: "GET",
  path: "/organizations/:organization/provisionerdaemons/serve",
  summary: "Take jobs as a provisioner",
  caller: "provisioner",
  kind: "socket",
  params: OrganizationParams,
  query: Type.Object({
    /** The version of the session's protocol. */
    protocol: Type.Optional(Type.String({ maxLength: 8 })),
    /** The version of the program. */
    build: Type.Optional(Type.String({ maxLength: 64 })),
    /** The id of the machine, the same after a restart. */
    id: Type.Optional(Type.String({ maxLength: 36 })),
    name: Type.Optional(Type.String({ maxLength: 128 })),
    /** The maximum number of jobs at the same time. */
    jobs: Type.Optional(Type.String({ maxLength: 4 })),
    /** `true` from a program that reads the parameters that a template has for certain values. */
    parameters: Type.Optional(Type.String({ maxLength: 8 })),
    /** The tags as a JSON object, from those of the key (default: all of them). */
    tags: Type.Optional(Type.String({ maxLength: 8_192 })),
  }),
  response: Type.Unknown(),
});
