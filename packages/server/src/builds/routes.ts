import { getBuild, getBuildLogs, listBuildParameters, listBuildResources } from "@slipway/api";

import { readLogRange } from "../http/log-range.ts";
import type { Routes } from "../http/routes.ts";
import { requireUuid } from "../http/uuid.ts";
import { type LogStreamNeeds, readJobLogs, streamJobLogs } from "../jobs/log-stream.ts";
import { readBuild, readParameters, readResources, requireBuild } from "./read-service.ts";

export function addBuildRoutes(routes: Routes, needs: LogStreamNeeds): void {
  const { db, clock } = needs;

  routes.user(getBuild, async ({ params }, user) => {
    const row = await requireBuild(db, user, requireUuid(params.build));
    return readBuild(db, row.id, clock.now());
  });
  routes.user(listBuildParameters, async ({ params }, user) => {
    const row = await requireBuild(db, user, requireUuid(params.build));
    return readParameters(db, row.id);
  });
  routes.user(listBuildResources, async ({ params }, user) => {
    const row = await requireBuild(db, user, requireUuid(params.build));
    return [...(await readResources(db, [row], clock.now()))];
  });
  routes.userSocket(getBuildLogs, {
    isPlain: ({ query }) => query.follow === undefined,
    prepare: async ({ params, query }, user) => {
      const row = await requireBuild(db, user, requireUuid(params.build));
      return { jobId: row.job_id, range: readLogRange(query) };
    },
    plain: (_request, { jobId, range }) => readJobLogs(db, jobId, range),
    serve: (socket, { jobId, range }) => streamJobLogs(needs, socket, jobId, range.after),
  });
}
