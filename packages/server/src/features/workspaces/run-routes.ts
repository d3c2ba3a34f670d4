import type { RunChunk, RunPage } from "@slipway/api/agents/run-routes";
import { getKeptRunOutput, listKeptRuns } from "@slipway/api/workspaces/run-routes";

import { mayActFor } from "../../platform/auth/rights.ts";
import type { Database } from "../../platform/db/database.ts";
import { notFound } from "../../platform/errors/errors.ts";
import { requireUuid } from "../../platform/fields/uuid.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { type KeptRun, selectKeptRun, selectKeptRuns } from "../agents/kept-runs/queries.ts";
import { requireWorkspace } from "./service.ts";

/** Adds the routes of runs that a workspace has left when it stopped, for those who could have started them. */
export function addKeptRunOutputRoutes(routes: Routes, db: Database): void {
  const requireOwn = async (user: UserCaller, id: string): Promise<string> => {
    const workspace = await requireWorkspace(db, user, requireUuid(id));
    if (!mayActFor(user, workspace.owner_id)) throw notFound();
    return workspace.id;
  };
  routes.user(listKeptRuns, async ({ params }, user) => {
    const workspaceId = await requireOwn(user, params.workspace);
    return { runs: (await selectKeptRuns(db, workspaceId)).map(({ run }) => run) };
  });
  routes.user(getKeptRunOutput, async ({ params, query }, user) => {
    const workspaceId = await requireOwn(user, params.workspace);
    const kept = await selectKeptRun(db, workspaceId, requireUuid(params.run));
    if (kept === undefined) throw notFound();
    return pageOf(kept, Number(query.after ?? 0), query.encoding === "base64");
  });
}

/** Returns the output of a kept run after a position. */
function pageOf({ run, chunks }: KeptRun, after: number, isBase64: boolean): RunPage {
  const decoder = new TextDecoder();
  const pieces = chunks.flatMap(({ seq, stream, data }): RunChunk[] => {
    const bytes = Buffer.from(data, "base64");
    const first = seq - bytes.length;
    const rest = bytes.subarray(Math.max(0, after - first));
    if (rest.length === 0) return [];
    return [{ seq, stream, data: isBase64 ? rest.toString("base64") : decoder.decode(rest) }];
  });
  const kept = chunks[0];
  const firstSeq = kept === undefined ? run.last_seq : kept.seq - base64Bytes(kept.data);
  return {
    run,
    chunks: pieces,
    missed_bytes: Math.max(0, firstSeq - after),
    next_seq: run.last_seq,
    is_complete: true,
  };
}

function base64Bytes(data: string): number {
  return Buffer.byteLength(data, "base64");
}
