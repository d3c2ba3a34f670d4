import { nilUuid } from "@slipway/api/contract/nil-uuid";
import type { NotificationsSettings } from "@slipway/api/notifications/notification";

import { isOwnerRole } from "../../platform/auth/rights.ts";
import { selectTimeMs } from "../../platform/db/database-clock.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import { lockSettings, selectSetting, upsertSetting } from "../../platform/db/settings-queries.ts";
import { timestampFromMs } from "../../platform/db/timestamp.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { forbidden } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { type PubSub, topics } from "../../platform/pubsub/pubsub.ts";
import { diffOf, recordAudit } from "../audit/service.ts";
import { notificationsKey } from "./queries.ts";

/** Reads whether notifications are paused (docs/protocol/clients.md §1.9). */
export async function readNotificationsSettings(db: Queryable): Promise<NotificationsSettings> {
  const text = await selectSetting(db, notificationsKey);
  return { notifier_paused: text !== undefined && text !== running };
}

/**
 * Pauses or resumes the delivery of notifications; returns false if nothing changes. Messages that arrive during a pause are
 * delivered when it ends. Throws `Forbidden` for callers who are not owners.
 */
export async function changeNotificationsSettings(
  { db, pubsub }: { readonly db: Database; readonly pubsub: Pick<PubSub, "publish"> },
  caller: UserCaller,
  { notifier_paused }: NotificationsSettings,
): Promise<boolean> {
  requireNotificationsOwner(caller);
  const isNew = await inTransaction(db, async (trx) => {
    await lockSettings(trx);
    const before = await readNotificationsSettings(trx);
    if (before.notifier_paused === notifier_paused) return false;
    const value = notifier_paused ? await pausedNow(trx) : running;
    await upsertSetting(trx, notificationsKey, value);
    await recordAudit(trx, {
      by: caller,
      organizationId: undefined,
      action: "write",
      resourceType: "notifications_settings",
      resourceId: nilUuid,
      target: "notifications",
      diff: diffOf(before, { notifier_paused }),
    });
    return true;
  });
  if (isNew && !notifier_paused) pubsub.publish(topics.inboxes);
  return isNew;
}

/** Throws `Forbidden` for callers who may not change or test the notifications of the deployment. */
export function requireNotificationsOwner(caller: UserCaller): void {
  if (isOwnerRole(caller)) return;
  throw forbidden("Only owners can pause, resume and test the notifications of the deployment.");
}

/** The value of the setting while notifications are delivered. */
const running = "{}";

/** Returns the value of the setting from now on, by the clock of the database. */
async function pausedNow(db: Queryable): Promise<string> {
  return JSON.stringify({ paused_at: timestampFromMs(await selectTimeMs(db)) });
}
