import type { ProvisionerJob } from "@slipway/api/jobs/job";
import { listProvisionerJobs } from "@slipway/api/organizations/provisioner-routes";
import { getUser } from "@slipway/api/users/routes";
import type { ApiClient } from "@slipway/sdk/http";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { UsageError } from "../../command/errors.ts";
import { columnFlag, outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printList } from "../../command/print-result.ts";
import { relativeTime } from "../../terminal/relative-time.ts";
import type { Columns } from "../../terminal/table.ts";

export const command = defineCommand({
  summary: "list template imports, builds and dry runs, newest first",
  aliases: ["ls"],
  arguments: {},
  flags: {
    status: {
      kind: "list",
      short: "s",
      value: "status",
      summary: "only jobs with this status; comma-separated or repeated",
      variable: "CODER_PROVISIONER_JOB_LIST_STATUS",
      completion: ["pending", "running", "succeeded", "canceling", "canceled", "failed"],
    },
    initiator: {
      kind: "text",
      short: "i",
      value: "user",
      summary: "only jobs started by this user: name, id or me",
      variable: "CODER_PROVISIONER_JOB_LIST_INITIATOR",
      completion: "user",
    },
    limit: {
      kind: "integer",
      short: "l",
      value: "number",
      summary: "maximum number of jobs (default: 50)",
      variable: "CODER_PROVISIONER_JOB_LIST_LIMIT",
    },
    column: columnFlag(
      [
        "created at",
        "id",
        "type",
        "template name",
        "workspace name",
        "status",
        "queue",
        "error",
        "started at",
        "completed at",
        "canceled at",
        "template display name",
        "template version name",
        "template id",
        "template version id",
        "workspace id",
        "workspace build id",
        "workspace build transition",
        "worker id",
        "worker name",
        "initiator id",
        "organization id",
        "file id",
        "tags",
      ],
      ["created at", "id", "type", "template name", "workspace name", "status", "queue"],
    ),
    output: outputFlag,
  },
  examples: [
    { line: "slipway provisioner jobs list", summary: "the newest 50" },
    { line: "slipway provisioner jobs list -s pending,running", summary: "unfinished jobs" },
    {
      line: "slipway provisioner jobs list -s failed -c id,error",
      summary: "errors of failed jobs",
    },
  ],
});

const defaultLimit = 50;

type ColumnName = (typeof command.flags.column.columns)[number];

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const limit = options.limit ?? defaultLimit;
  if (limit < 1) throw new UsageError(`--limit is ${limit}, wanted 1 or more`);
  const client = connect(settings);
  const initiator = await idOf(client, options.initiator, signal);
  const jobs = await client.call(listProvisionerJobs, {
    params: { organization: settings.organization },
    query: {
      limit: String(limit),
      ...(options.status.length === 0 ? {} : { status: options.status.join(",") }),
      ...(initiator === undefined ? {} : { initiator }),
    },
    signal,
  });
  return printList(terminal, jobs, options, { columns: columnsAt(clock.now()), none: "no jobs" });
}

/** Returns the id of the initiator: the server knows initiators only by id. */
async function idOf(
  client: ApiClient,
  user: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (user === undefined) return undefined;
  return (await client.call(getUser, { params: { user }, signal })).id;
}

function columnsAt(now: number): Columns<ProvisionerJob, ColumnName> {
  const when = (time: string | undefined): string =>
    time === undefined ? "-" : relativeTime(Date.parse(time), now);
  return {
    "created at": ({ created_at }) => when(created_at),
    id: ({ id }) => id,
    type: ({ type }) => type,
    "template name": ({ metadata }) => metadata.template_name || "-",
    "workspace name": ({ metadata }) => metadata.workspace_name ?? "-",
    status: ({ status }) => status,
    queue: ({ queue_position: position, queue_size: size }) =>
      position === 0 ? "-" : `${position}/${size}`,
    error: ({ error }) => error ?? "-",
    "started at": ({ started_at }) => when(started_at),
    "completed at": ({ completed_at }) => when(completed_at),
    "canceled at": ({ canceled_at }) => when(canceled_at),
    "template display name": ({ metadata }) => metadata.template_display_name || "-",
    "template version name": ({ metadata }) => metadata.template_version_name || "-",
    "template id": ({ metadata }) => metadata.template_id,
    "template version id": ({ input }) => input.template_version_id ?? "-",
    "workspace id": ({ metadata }) => metadata.workspace_id ?? "-",
    "workspace build id": ({ input }) => input.workspace_build_id ?? "-",
    "workspace build transition": ({ metadata }) => metadata.workspace_build_transition ?? "-",
    "worker id": ({ worker_id }) => worker_id ?? "-",
    "worker name": ({ worker_name }) => worker_name ?? "-",
    "initiator id": ({ initiator_id }) => initiator_id,
    "organization id": ({ organization_id }) => organization_id,
    "file id": ({ file_id }) => file_id,
    tags: ({ tags }) =>
      Object.entries(tags)
        .map(([name, value]) => `${name}=${value}`)
        .join(", "),
  };
}
