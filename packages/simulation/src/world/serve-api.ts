import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import { allOf, topics } from "@slipway/server/claims";

import { cancelBuild, createBuild, RefusalError } from "../model/builds.ts";
import { claimWorkspaces, insertWorkspace, isPooled } from "../model/workspaces.ts";
import type { ServerEnd } from "../network/link.ts";
import type { ApiCall } from "../network/messages.ts";
import { UniqueViolation } from "../store/errors.ts";
import { hintAtClaim } from "./claim-together.ts";
import type { ClaimOutcome } from "./monitor.ts";
import type { ServerProcess } from "./server-process.ts";

/** Carries out a user's request, as the routes of the server do. */
export async function serveApi(
  server: ServerProcess,
  call: ApiCall,
  end: ServerEnd,
): Promise<void> {
  try {
    end.send({ type: "answer", id: 0, value: await answer(server, call) });
  } catch (error) {
    const isExpected = error instanceof RefusalError || error instanceof UniqueViolation;
    end.send({ type: "failure", id: 0, message: isExpected ? error.message : "server error" });
  }
  end.close();
}

async function answer(server: ServerProcess, call: ApiCall): Promise<string | undefined> {
  const { model, life } = server;
  const { presets, templates } = model.tables;
  switch (call.name) {
    case "create":
      return createWorkspace(server, call);
    case "build":
      return queueBuild(server, call);
    case "cancel":
      return cancel(server, call);
    case "invalidate":
      await model.db.query(life, (trx) =>
        trx.update(presets, call.presetId, () => ({ lastInvalidatedAtMs: trx.nowMs })),
      );
      server.hints.publish(topics.prebuilds(call.presetId));
      return undefined;
    case "promote":
      await model.db.query(life, (trx) =>
        trx.update(templates, call.templateId, () => ({ activeVersionId: call.versionId })),
      );
      server.hints.publish(allOf("prebuilds"));
      return undefined;
  }
}

type CreateCall = Extract<ApiCall, { name: "create" }>;

async function createWorkspace(server: ServerProcess, call: CreateCall): Promise<string> {
  const { model, life, setting } = server;
  const attempt = { id: model.ids.next("claim"), presetId: call.presetId ?? "" };
  let outcome: ClaimOutcome = "failed";
  if (call.presetId !== undefined) setting.tell((monitor) => monitor.claimBegan?.(attempt));
  try {
    const together = isPooled(call)
      ? await server.claims.claim(call.userId, call, life.forever)
      : undefined;
    if (together !== undefined) {
      outcome = "claimed";
      return together;
    }
    const { id, isClaimed } = await createAlone(server, call);
    outcome = isClaimed ? "claimed" : "none";
    return id;
  } catch (error) {
    outcome = error instanceof RefusalError ? "refused" : "failed";
    throw error;
  } finally {
    setting.tell((monitor) => monitor.claimEnded?.(attempt, outcome));
  }
}

async function createAlone(
  { model, life, hints, trace }: ServerProcess,
  call: CreateCall,
): Promise<{ readonly id: string; readonly isClaimed: boolean }> {
  const made = await model.db.transaction(life, async (trx) => {
    const claims = isPooled(call) ? [call] : [];
    const [claimed] = (await claimWorkspaces(model, trx, claims, { waits: true })).values();
    const id = claimed ?? (await insertWorkspace(model, trx, call));
    const what = claimed === undefined ? "makes" : "claims";
    trace.add(life.name, () => `${what} ${id} for ${call.userId}`, id);
    if (claimed !== undefined) hintAtClaim(trx, claimed, call.presetId ?? "");
    return { id, isClaimed: claimed !== undefined };
  });
  hints.publish(topics.jobQueue);
  return made;
}

async function queueBuild(
  { model, life, hints, trace }: ServerProcess,
  { workspaceId, transition, userId }: Extract<ApiCall, { name: "build" }>,
): Promise<string> {
  const ownerId = await model.db.query(
    life,
    (trx) => model.view(trx).workspace(workspaceId)?.ownerId,
  );
  const isAllowed = userId === "admin" ? ownerId === prebuildsUserId : ownerId === userId;
  if (ownerId === undefined || !isAllowed) throw new RefusalError("it belongs to another user");
  const id = await model.db.transaction(life, async (trx) => {
    const { id: buildId } = await createBuild(model, trx, workspaceId, {
      ownerId,
      transition,
      initiatorId: userId,
    });
    return buildId;
  });
  trace.add(life.name, () => `queued ${id}, a ${transition} of ${workspaceId}`, workspaceId);
  hints.publish(topics.jobQueue);
  hints.publish(topics.workspace(workspaceId));
  return id;
}

async function cancel(
  { model, life, hints, trace }: ServerProcess,
  { workspaceId }: Extract<ApiCall, { name: "cancel" }>,
): Promise<string | undefined> {
  const newest = await model.db.query(life, (trx) => {
    const build = model.view(trx).newest(workspaceId);
    return build !== undefined && cancelBuild(model, trx, build.id) ? build : undefined;
  });
  if (newest === undefined) return undefined;
  trace.add(life.name, () => `canceled ${newest.id}`, workspaceId);
  hints.publish(topics.jobCancel(newest.id));
  hints.publish(topics.workspace(workspaceId));
  return newest.id;
}
