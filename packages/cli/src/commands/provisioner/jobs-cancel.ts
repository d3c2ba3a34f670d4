import { cancelBuild } from "@slipway/api/builds/routes";
import type { ProvisionerJob } from "@slipway/api/jobs/job";
import { listProvisionerJobs } from "@slipway/api/organizations/provisioner-routes";
import { cancelTemplateVersion } from "@slipway/api/templates/version-routes";
import type { ApiClient } from "@slipway/sdk/http";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { CommandError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { notFoundError } from "../../command/not-found.ts";
import { isFinal } from "../../resources/builds/follow-job.ts";

export const command = defineCommand({
  summary: "cancel a pending or running import or build",
  arguments: { job: { summary: "id of the job", required: true } },
  flags: {},
  examples: [
    {
      line: "slipway provisioner jobs cancel 0190a1b2-0000-7000-8000-000000000001",
      summary: "an id from: slipway provisioner jobs list",
    },
  ],
});

export async function run(
  { job: id }: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const params = { organization: settings.organization };
  const [job] = await client.call(listProvisionerJobs, { params, query: { ids: id }, signal });
  if (job === undefined) {
    throw notFoundError(`job ${id}`, "list jobs with: slipway provisioner jobs list");
  }
  if (isFinal(job)) throw new CommandError(`job ${id} has already finished: ${job.status}`);
  await cancel(client, job, signal);
  terminal.err.line(`job ${id} is being canceled`);
  return exitCodes.ok;
}

async function cancel(
  client: ApiClient,
  { id, type, input }: ProvisionerJob,
  signal: AbortSignal,
): Promise<void> {
  const { workspace_build_id: build, template_version_id: version } = input;
  if (type === "workspace_build" && build !== undefined)
    await client.call(cancelBuild, { params: { build }, signal });
  else if (type === "template_version_import" && version !== undefined)
    await client.call(cancelTemplateVersion, { params: { version }, signal });
  else throw new CommandError(`job ${id} is a dry run, which finishes on its own shortly`);
}
