import {
  cancelBuild as cancelBuildRoute,
  getBuild,
  getBuildLogs,
  getBuildState,
  getBuildTimings,
  listBuildParameters,
  listBuildResources,
  updateBuildState,
} from "@slipway/api/builds/routes";

import { mayActFor } from "../../platform/auth/rights.ts";
import { forbidden } from "../../platform/errors/errors.ts";
import { readLogRange } from "../../platform/fields/log-range.ts";
import { requireUuid } from "../../platform/fields/uuid.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { type LogStreamNeeds, readJobLogs, streamJobLogs } from "../../platform/jobs/log-stream.ts";
import { requireMayCancel } from "../templates/service.ts";
import { cancelBuild, readExpectedStatus } from "./cancel-service.ts";
import { selectParameters } from "./queries.ts";
import { describeBuild, describeResources, readTimings, requireBuild } from "./read-service.ts";
import { pullState, pushState, readState, type StateNeeds } from "./state-service.ts";

export function addBuildRoutes(routes: Routes, needs: LogStreamNeeds & StateNeeds): void {
  const { db, clock } = needs;

  routes.user(getBuild, async ({ params }, user) => {
    const row = await requireBuild(db, user, requireUuid(params.build));
    return describeBuild(row, clock.now());
  });
  routes.user(listBuildParameters, async ({ params }, user) => {
    const row = await requireBuild(db, user, requireUuid(params.build));
    return selectParameters(db, row.id);
  });
  routes.user(listBuildResources, async ({ params }, user) => {
    const row = await requireBuild(db, user, requireUuid(params.build));
    return describeResources(row, clock.now());
  });
  routes.user(getBuildTimings, async ({ params }, user) =>
    readTimings(db, await requireBuild(db, user, requireUuid(params.build))),
  );
  routes.user(getBuildState, async ({ params, reply }, user) => {
    const row = await requireBuild(db, user, requireUuid(params.build));
    const state = await pullState(needs, user, row);
    reply.type("application/json");
    return state;
  });
  routes.user(updateBuildState, async ({ params, query, body }, user) => {
    const row = await requireBuild(db, user, requireUuid(params.build));
    const pushed = { bytes: readState(body.state), isForced: query.force === "true" };
    await pushState(needs, user, row, pushed);
    return null;
  });
  routes.user(cancelBuildRoute, async ({ params, query }, user) => {
    const row = await requireBuild(db, user, requireUuid(params.build));
    if (!mayActFor(user, row.owner_id))
      throw forbidden(
        "Only the owner of a workspace, or a user with the owner role, can cancel its builds.",
      );
    await requireMayCancel(db, user, row.template_version_id);
    await cancelBuild(needs, user, row, readExpectedStatus(query.expect_status));
    return { message: "Job has been marked as canceled..." };
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
