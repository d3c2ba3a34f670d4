import type { WorkspaceResource } from "@slipway/api/builds/resource";
import { nilUuid } from "@slipway/api/contract/nil-uuid";
import { capabilitiesOf } from "@slipway/drivers";
import {
  type NamedValue,
  renderDefinition,
  resolveParameters,
  type TemplateDefinition,
} from "@slipway/template";

import type { JobLogWriter } from "../../platform/jobs/job-log-writer.ts";
import { failedOutcome, type JobOutcome } from "../../platform/jobs/job-outcome.ts";
import type { JobHandler } from "../../platform/jobs/worker.ts";
import { driverAgents } from "../agents/plan-service.ts";
import { type OwnerNeeds, readDriverOwner } from "../users/driver-owner-service.ts";
import { type DryRunRow, selectDryRun } from "./dry-run-service.ts";
import type { TemplateJobNeeds } from "./import-job.ts";
import { insertPlan, planResources, readByDriver, resourceJson } from "./plan.ts";

/** Renders a template with the given values and gets the plan of its driver. Creates nothing. */
export function dryRunHandler(needs: TemplateJobNeeds & OwnerNeeds): JobHandler {
  const { db, drivers } = needs;
  return async (job, log, signal) => {
    const run = await selectDryRun(db, job.id);
    const definition = run?.definition ?? undefined;
    if (run === undefined || definition === undefined)
      return failedOutcome("the dry run has no template");
    log.stage("Setting up");
    const driver = drivers.get(definition.driver);
    if (driver === undefined)
      return failedOutcome(`this server has no driver ${definition.driver}`);
    const resolved = resolveDryRun(definition, run);
    if ("problems" in resolved) {
      return refusal(
        resolved.problems.map(({ field, message }) => `${field}: ${message}`),
        log,
      );
    }
    const { values } = resolved;
    log.stage("Planning the workspace");
    const template = {
      id: run.template_id ?? nilUuid,
      name: run.template_name ?? "",
      version: run.version_name,
      notes: run.driver_notes ?? undefined,
    };
    const place = {
      jobId: job.id,
      workspaceName: run.workspace_name,
      ownerName: run.username,
      at: run.created_at,
    };
    if (capabilitiesOf(driver.name).readsTemplates) {
      const { accessUrl } = needs;
      const { initiator_id: id, organization_id: organizationId } = run;
      const owner = await readDriverOwner(needs, { id, organizationId });
      const subject = { ...place, template, parameters: values, fileId: job.file_id };
      const read = { ...subject, accessUrl, owner, type: job.type };
      const reading = await readByDriver(needs, driver, read, log, signal);
      const plan = { ...place, agents: reading.definition.agents };
      return planned(
        job.id,
        reading.resources.map((resource) => resourceJson(resource, plan)),
        log,
      );
    }
    const agents = renderAgents(definition, run, values);
    const resources = await planResources(
      needs,
      driver,
      {
        ...place,
        template,
        parameters: values,
        agents,
        planned: driverAgents(agents),
        fileId: job.file_id,
      },
      log,
      signal,
    );
    return planned(job.id, resources, log);
  };
}

/** Chooses the values. Those of parameters that other values decide were checked for the user when the run was queued. */
function resolveDryRun(
  definition: TemplateDefinition,
  { parameters }: DryRunRow,
): ReturnType<typeof resolveParameters> {
  if (definition.parameterSources !== undefined) return { values: parameters };
  return resolveParameters(definition, { given: parameters });
}

function planned(
  jobId: string,
  resources: readonly WorkspaceResource[],
  log: JobLogWriter,
): JobOutcome {
  log.stage("Cleaning up");
  return { error: undefined, topics: [], commit: (trx) => insertPlan(trx, jobId, resources) };
}

function renderAgents(
  definition: TemplateDefinition,
  run: DryRunRow,
  parameters: readonly NamedValue[],
): ReturnType<typeof renderDefinition> {
  return renderDefinition(definition, {
    parameters,
    owner: {
      id: run.initiator_id,
      username: run.username,
      name: run.user_name,
      email: run.email,
    },
    workspace: { id: nilUuid, name: run.workspace_name },
    template: { name: run.template_name ?? "", version: run.version_name },
  });
}

function refusal(problems: readonly string[], log: JobLogWriter): JobOutcome {
  for (const problem of problems) log.write("error", problem);
  return failedOutcome(problems.join("; "));
}
