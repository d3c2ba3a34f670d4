import {
  cancelDryRun,
  createDryRun as createDryRunRoute,
  getDryRun,
  getDryRunLogs,
  getDryRunProvisioners,
  listDryRunResources,
} from "@slipway/api/templates/dry-run-routes";

import { timestampFromMs } from "../../platform/db/timestamp.ts";
import { readLogRange } from "../../platform/fields/log-range.ts";
import { requireUuid } from "../../platform/fields/uuid.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { type LogStreamNeeds, readJobLogs, streamJobLogs } from "../../platform/jobs/log-stream.ts";
import {
  cancelTemplateJob,
  createDryRun,
  type DryRunNeeds,
  requireDryRun,
} from "./dry-run-service.ts";
import { readPlan } from "./plan.ts";

export function addDryRunRoutes(routes: Routes, needs: LogStreamNeeds & DryRunNeeds): void {
  const { db, pubsub, clock } = needs;

  routes.user(createDryRunRoute, ({ params, body, raw }, user) =>
    createDryRun(
      needs,
      user,
      {
        versionId: requireUuid(params.version),
        workspaceName: body.workspace_name ?? "",
        parameters: body.rich_parameter_values ?? [],
      },
      (task) => routes.waitFor(raw, task),
    ),
  );
  const find = (params: { readonly version: string; readonly job: string }) =>
    [requireUuid(params.version), requireUuid(params.job)] as const;
  routes.user(getDryRun, ({ params }, user) => requireDryRun(db, user, ...find(params)));
  routes.user(getDryRunProvisioners, async ({ params }, user) => {
    await requireDryRun(db, user, ...find(params));
    // The server that answers takes jobs, too.
    return { count: 1, available: 1, most_recently_seen: timestampFromMs(clock.now()) };
  });
  routes.user(listDryRunResources, async ({ params }, user) =>
    readPlan(db, await requireDryRun(db, user, ...find(params))),
  );
  routes.user(cancelDryRun, async ({ params }, user) => {
    const job = await requireDryRun(db, user, ...find(params));
    await cancelTemplateJob(db, pubsub, job.id);
    return { message: "Job has been marked as canceled..." };
  });
  routes.userSocket(getDryRunLogs, {
    isPlain: ({ query }) => query.follow === undefined,
    prepare: async ({ params, query }, user) => {
      const job = await requireDryRun(db, user, ...find(params));
      return { jobId: job.id, range: readLogRange(query) };
    },
    plain: (_request, { jobId, range }) => readJobLogs(db, jobId, range),
    serve: (socket, { jobId, range }) => streamJobLogs(needs, socket, jobId, range.after),
  });
}
