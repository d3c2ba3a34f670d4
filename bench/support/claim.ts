import { randomUUID } from "node:crypto";

import { createWorkspace } from "@slipway/api/workspaces/routes";
import type { ApiClient } from "@slipway/sdk/http";

import type { MeasuredPostgres } from "./measured-postgres.ts";
import { wallMs } from "./part.ts";
import type { PrebuildPool } from "./prebuild-pool.ts";

/** A claim, with its times by `wallMs`. */
export interface Claim {
  readonly workspaceId: string;
  readonly requestedAtMs: number;
  readonly respondedAtMs: number;
}

/** Claims a workspace from a pool. Throws when the pool is empty, or when the client gives up after 30 s. */
export async function claim(
  client: ApiClient,
  { templateId, presetId }: Pick<PrebuildPool, "templateId" | "presetId">,
): Promise<Claim> {
  const body = {
    name: `c-${randomUUID().slice(0, 13)}`,
    template_id: templateId,
    template_version_preset_id: presetId,
  };
  const params = { user: "me" };
  const requestedAtMs = wallMs();
  const workspace = await client.call(createWorkspace, { params, body });
  const respondedAtMs = wallMs();
  if (workspace.latest_build.build_number !== 2) throw new Error("the pool was empty");
  return { workspaceId: workspace.id, requestedAtMs, respondedAtMs };
}

/** A claim with its commit time from the database, taken before the commit was on disk. */
export interface CommittedClaim extends Claim {
  readonly committedAtMs: number;
}

export async function readCommitTimes(
  database: MeasuredPostgres,
  claims: readonly Claim[],
): Promise<readonly CommittedClaim[]> {
  // Rows of the audit log are never rewritten, so their transaction is the claim's.
  const rows = await database.query<{ readonly workspace_id: string; readonly ms: string }>(
    `select resource_id as workspace_id,
        extract(epoch from pg_xact_commit_timestamp(xmin)) * 1000 as ms
      from audit_log where action = 'create' and resource_id = any($1)`,
    [claims.map(({ workspaceId }) => workspaceId)],
  );
  const committed = new Map(rows.map(({ workspace_id, ms }) => [workspace_id, Number(ms)]));
  return claims.map(({ workspaceId, requestedAtMs, respondedAtMs }) => ({
    workspaceId,
    requestedAtMs,
    respondedAtMs,
    committedAtMs: committed.get(workspaceId) ?? Number.NaN,
  }));
}
