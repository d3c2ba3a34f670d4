import { keepRun } from "@slipway/api/agents/run-routes";

import type { Database } from "../../../platform/db/database.ts";
import { inTransaction } from "../../../platform/db/transaction.ts";
import { invalidField } from "../../../platform/errors/errors.ts";
import { requireUuid } from "../../../platform/fields/uuid.ts";
import type { Routes } from "../../../platform/http/routes.ts";
import { deleteSurplusRuns, upsertKeptRun } from "./queries.ts";

/** The limits on the runs that are kept of a workspace, each with its output in base64. */
const limits = { maxBytes: 12 * 1024 * 1024, maxRuns: 256 } as const;

/** Adds the route on which an agent leaves its runs when the workspace stops (docs/runs.md#after-a-stop). */
export function addKeptRunRoutes(routes: Routes, db: Database): void {
  routes.agent(keepRun, async ({ params, body }, { agentId, workspaceId }) => {
    const { run, chunks } = body;
    const runId = requireUuid(params.run);
    if (requireUuid(run.id) !== runId)
      throw invalidField("run", "its id is another than the path's");
    const bytes = chunks.reduce((sum, { data }) => sum + data.length, 0);
    const kept = { workspaceId, agentId, run: { ...run, id: runId }, chunks, bytes };
    await inTransaction(db, async (trx) => {
      await upsertKeptRun(trx, kept);
      await deleteSurplusRuns(trx, workspaceId, limits);
    });
    return null;
  });
}
