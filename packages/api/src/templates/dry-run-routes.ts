import { Type } from "typebox";

import { BuildParameter, maxParameterBodyBytes } from "../builds/build.ts";
import { WorkspaceResource } from "../builds/resource.ts";
import { MessageBody } from "../contract/api-error.ts";
import { defineRoute } from "../contract/route.ts";
import { nullable } from "../contract/scalars.ts";
import { JobLog, LogQuery, ProvisionerJob } from "../jobs/job.ts";
import { MatchedProvisioners } from "../jobs/provisioner.ts";

/** The name and parameter values of the workspace to plan. */
export const DryRunRequest = Type.Object({
  workspace_name: Type.Optional(Type.String({ maxLength: 32 })),
  rich_parameter_values: Type.Optional(nullable(Type.Array(BuildParameter, { maxItems: 100 }))),
});

const VersionParams = Type.Object({ version: Type.String() });
const DryRunParams = Type.Object({ version: Type.String(), job: Type.String() });

export const createDryRun = defineRoute({
  method: "POST",
  path: "/templateversions/:version/dry-run",
  summary: "Plan a workspace without creating it",
  scopes: ["template:use"],
  params: VersionParams,
  body: DryRunRequest,
  maxBodyBytes: maxParameterBodyBytes,
  status: 201,
  response: ProvisionerJob,
});

export const getDryRun = defineRoute({
  method: "GET",
  path: "/templateversions/:version/dry-run/:job",
  summary: "Get a dry run",
  scopes: ["template:use"],
  params: DryRunParams,
  response: ProvisionerJob,
});

export const getDryRunLogs = defineRoute({
  method: "GET",
  path: "/templateversions/:version/dry-run/:job/logs",
  summary: "Read or follow the log of a dry run",
  scopes: ["template:use"],
  kind: "json-or-socket",
  params: DryRunParams,
  query: LogQuery,
  response: Type.Array(JobLog),
});

export const listDryRunResources = defineRoute({
  method: "GET",
  path: "/templateversions/:version/dry-run/:job/resources",
  summary: "List the planned resources of a dry run",
  scopes: ["template:use"],
  params: DryRunParams,
  response: Type.Array(WorkspaceResource),
});

export const getDryRunProvisioners = defineRoute({
  method: "GET",
  path: "/templateversions/:version/dry-run/:job/matched-provisioners",
  summary: "Count the servers that can carry out a dry run",
  scopes: ["template:use"],
  params: DryRunParams,
  response: MatchedProvisioners,
});

export const cancelDryRun = defineRoute({
  method: "PATCH",
  path: "/templateversions/:version/dry-run/:job/cancel",
  summary: "Cancel a dry run",
  scopes: ["template:use"],
  params: DryRunParams,
  response: MessageBody,
});
