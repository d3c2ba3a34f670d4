import type { BuildReason } from "@slipway/api/builds/build";
import type { Transition } from "@slipway/api/builds/resource";
import { errorText, spread } from "@slipway/runtime";
import type { Transaction } from "kysely";

import type { DB } from "../../platform/db/gen/schema.ts";
import { timestampFromMs } from "../../platform/db/timestamp.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { Conflict, Refusal } from "../../platform/errors/errors.ts";
import type { Platform } from "../../platform/platform.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import { requireStops } from "../builds/deadline-service.ts";
import { lockWorkspace } from "../builds/lock-service.ts";
import type { WorkspaceLimits } from "../builds/quota-service.ts";
import { queueBuild, versionOf } from "../workspaces/build-service.ts";
import { announceDeletion, makeDormant } from "../workspaces/dormancy-service.ts";
import { requireStillThere } from "../workspaces/service.ts";
import { updateLastDay } from "../workspaces/settings-queries.ts";
import { nextActionAt, planAction, type ScheduleAction } from "./plan.ts";
import {
  type DueWorkspace,
  lockRules,
  selectDue,
  selectRequiredStops,
  selectScheduled,
  tryLockSchedules,
  updateDue,
  updateNextStart,
} from "./queries.ts";
import { nextRequiredStop } from "./required-stop.ts";

export interface SchedulerNeeds extends Platform {
  readonly limits: WorkspaceLimits;
}

/** The interval of passes, which is the maximum delay of a scheduled action, in milliseconds. */
const intervalMs = 10_000;
/** The longest time until a workspace is looked at again even if nothing changes, in milliseconds. */
const maxDueMs = 6 * 3_600_000;

/** Starts and stops workspaces on schedule until the signal is aborted. Each replica may run it. */
export async function runSchedules(needs: SchedulerNeeds, signal: AbortSignal): Promise<void> {
  const { clock, logger } = needs;
  for (;;) {
    try {
      await applySchedules(needs, clock.now(), signal);
    } catch (error) {
      signal.throwIfAborted();
      logger.warn({ error: errorText(error) }, "cannot apply schedules; retrying");
    }
    await clock.sleep(spread(intervalMs), signal);
  }
}

/** Carries out the actions due at `now`; resolves to the number of builds queued. */
export async function applySchedules(
  needs: SchedulerNeeds,
  now: number,
  signal: AbortSignal,
): Promise<number> {
  let queued = 0;
  for await (const page of selectDue(needs.db, now)) {
    const unbounded = page.filter(({ lacksRequiredStop }) => lacksRequiredStop);
    if (unbounded.length > 0) await applyRequiredStops(needs, unbounded, now);
    const looks = page.map((due) => ({ due, at: nextActionAt(due.workspace) }));
    // One that has just got the time at which it must stop is looked at again with it.
    const waiting = looks.filter(({ due, at }) => at > now && !due.lacksRequiredStop);
    await updateDue(
      needs.db,
      waiting.map(({ due, at }) => ({ due, at: Math.min(at, now + maxDueMs) })),
    );
    for (const { due, at } of looks) {
      if (at > now) continue;
      signal.throwIfAborted();
      const done = await tryNextAction(needs, due.workspace.id, now, signal);
      // Another replica does this pass, including everything else that is due.
      if (done === "elsewhere") return queued;
      if (done === "queued") queued += 1;
    }
  }
  return queued;
}

/** Gives running workspaces the time at which their template requires them to stop; others keep theirs. */
async function applyRequiredStops(
  { db, pubsub }: Pick<SchedulerNeeds, "db" | "pubsub">,
  due: readonly DueWorkspace[],
  now: number,
): Promise<void> {
  const templateIds = [...new Set(due.map(({ templateId }) => templateId))];
  const workspaceIds = due.map(({ workspace }) => workspace.id);
  const changed = await inTransaction(db, async (trx) => {
    if (!(await tryLockSchedules(trx))) return [];
    const ids: string[] = [];
    for (const { templateId, ...rule } of await selectRequiredStops(trx, templateIds)) {
      const at = nextRequiredStop(rule, now);
      if (at !== undefined) ids.push(...(await requireStops(trx, templateId, workspaceIds, at)));
    }
    return ids;
  });
  for (const id of changed) pubsub.publish(topics.workspace(id));
}

/** `elsewhere`: another replica carries out schedules. An object: the owner to notify, and the line for the log. */
type Outcome =
  | "queued"
  | "nothing"
  | "elsewhere"
  | { readonly ownerId: string; readonly logLine: string };

/** Applies the next action; logs a failure, so that one workspace does not hold up those after it. */
async function tryNextAction(
  needs: SchedulerNeeds,
  workspaceId: string,
  now: number,
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    return await applyNextAction(needs, workspaceId, now);
  } catch (error) {
    signal.throwIfAborted();
    const fields = { workspace: workspaceId, error: errorText(error) };
    needs.logger.warn(fields, "cannot apply a schedule; retrying");
    return "nothing";
  }
}

async function applyNextAction(
  needs: SchedulerNeeds,
  workspaceId: string,
  now: number,
): Promise<Outcome> {
  const { db, pubsub, logger } = needs;
  try {
    const outcome = await inTransaction(db, async (trx): Promise<Outcome> => {
      if (!(await tryLockSchedules(trx))) return "elsewhere";
      // Changes of a template lock it before its workspaces, too.
      await lockRules(trx, workspaceId);
      // Use and activation of the workspace at this moment come before or after.
      await lockWorkspace(trx, workspaceId);
      const workspace = await selectScheduled(trx, workspaceId);
      const action = workspace === undefined ? undefined : planAction(workspace, now);
      return action === undefined ? "nothing" : applyAction(trx, needs, workspaceId, action, now);
    });
    if (typeof outcome === "object") {
      logger.info({ workspace: workspaceId }, outcome.logLine);
      pubsub.publish(topics.workspace(workspaceId));
      pubsub.publish(topics.inbox(outcome.ownerId));
    }
    if (outcome !== "queued") return outcome;
    logger.info({ workspace: workspaceId }, "scheduled build queued");
    pubsub.publish(topics.jobQueue);
    pubsub.publish(topics.builds(workspaceId));
    pubsub.publish(topics.workspace(workspaceId));
    return outcome;
  } catch (error) {
    // Refused as it would be for a person: a build is active, the active version needs parameters, a limit is reached.
    if (!(error instanceof Refusal)) throw error;
    if (!(error instanceof Conflict)) await postpone(needs, workspaceId, now, error);
    return "nothing";
  }
}

async function applyAction(
  trx: Transaction<DB>,
  { limits }: Pick<SchedulerNeeds, "limits">,
  workspaceId: string,
  action: ScheduleAction,
  now: number,
): Promise<Outcome> {
  const row = await requireStillThere(trx, workspaceId);
  if (action.kind === "sleep") {
    await makeDormant(trx, row, now);
    return { ownerId: row.owner_id, logLine: "unused workspace made dormant" };
  }
  if (action.kind === "announceDeletion") {
    await announceDeletion(trx, row, now);
    return { ownerId: row.owner_id, logLine: "deletion of a dormant workspace announced" };
  }
  // A failed deletion is retried after another day.
  if (action.kind === "delete" && action.reason === "dormancy")
    await updateLastDay(trx, workspaceId, timestampFromMs(now));
  if (action.kind === "start" || action.kind === "skip")
    await updateNextStart(trx, workspaceId, action.nextStartAt);
  if (action.kind === "skip") return "nothing";
  await queueBuild(trx, row, {
    transition: action.kind,
    versionId: versionOf(row, { transition: action.kind, versionId: undefined }),
    presetId: undefined,
    parameters: [],
    reason: reasonOf(action),
    initiator: { id: row.owner_id, origin: undefined },
    // Many builds may be due in the same minute.
    limits: { ...limits, maxPendingBuildsPerUser: Infinity },
  });
  return "queued";
}

function reasonOf(action: Extract<ScheduleAction, { readonly kind: Transition }>): BuildReason {
  switch (action.kind) {
    case "start":
      return "autostart";
    case "stop":
    case "delete":
      return action.reason;
  }
}

/** Postpones a refused action: a start until its next time, a deletion for a day. */
async function postpone(
  { db, logger }: SchedulerNeeds,
  workspaceId: string,
  now: number,
  error: Refusal,
): Promise<void> {
  const reasons = error.validations.map(({ field, detail }) => `${field}: ${detail}`);
  logger.warn(
    { workspace: workspaceId, error: [error.message, ...reasons].join(" ") },
    "scheduled action refused",
  );
  const workspace = await selectScheduled(db, workspaceId);
  const action = workspace === undefined ? undefined : planAction(workspace, now);
  if (action?.kind === "delete" && action.reason === "dormancy")
    await updateLastDay(db, workspaceId, timestampFromMs(now));
  if (action?.kind !== "start" && action?.kind !== "skip") return;
  await updateNextStart(db, workspaceId, action.nextStartAt);
}
