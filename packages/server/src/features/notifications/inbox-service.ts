import type {
  CustomNotification,
  InboxMessage,
  InboxNotification,
} from "@slipway/api/notifications/notification";
import { errorText } from "@slipway/runtime";

import { invalidField, notFound } from "../../platform/errors/errors.ts";
import type { Platform } from "../../platform/platform.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import { watch } from "../../platform/pubsub/watch.ts";
import {
  type InboxRow,
  insertOwnMessage,
  markInboxRead,
  pruneInbox,
  pruneOwnMessages,
  selectInbox,
  updateReadStatus,
  upsertConnectionNotice,
} from "./queries.ts";

export type InboxNeeds = Pick<Platform, "db" | "pubsub">;

interface Inbox {
  readonly notifications: InboxNotification[];
  readonly unread_count: number;
}

/** The maximum number of messages of a user; older ones are deleted. */
export const maxMessages = 200;
/** The maximum number of messages that a user sent to themselves; they displace no others. */
const maxOwnMessages = 50;
/** The number of messages per page (docs/protocol/clients.md §4.5). */
const pageSize = 25;
/** The messages about connections. */
export const connectionTemplateId = "3f1c9a52-6d0e-4b7c-9c3e-2a8f5d7b1e64";
/** The test message, and messages that users write themselves (docs/protocol/clients.md §1.9). */
const testTemplateId = "c425f63e-716a-4bf4-ae24-78348f706c3f";
const customTemplateId = "39b1e189-c857-4b0c-877a-511144c18516";
/** The time for which further connections of the same user to the same workspace are not reported. */
const quietSeconds = 3600;
/** The interval of reads without a notification. */
const repeatMs = 60_000;

type Filter = (row: InboxRow) => boolean;

/** Returns a page of a user's messages: those that are older than the one `before`. */
export async function listInbox(
  { db }: Pick<InboxNeeds, "db">,
  userId: string,
  filter: Filter,
  before: string | undefined,
): Promise<Inbox> {
  const rows = await selectInbox(db, userId);
  const start = before === undefined ? 0 : rows.findIndex(({ id }) => id === before) + 1;
  if (before !== undefined && start === 0) {
    throw invalidField("starting_before", "must be a notification of the caller");
  }
  const page = rows.slice(start).filter(filter).slice(0, pageSize);
  return { notifications: page.map(notificationJson), unread_count: unreadCount(rows) };
}

/** Yields each new message of a user, until the signal. */
export async function* watchInbox(
  { db, pubsub, clock }: Pick<Platform, "db" | "pubsub" | "clock">,
  userId: string,
  filter: Filter,
  signal: AbortSignal,
): AsyncGenerator<InboxMessage, void, undefined> {
  let known: ReadonlySet<string> | undefined;
  const looks = watch({
    pubsub,
    topics: [topics.inbox(userId), topics.inboxes],
    maxWaitMs: repeatMs,
    clock,
    signal,
  });
  for await (const _ of looks) {
    const rows = await selectInbox(db, userId);
    const seen = known;
    known = new Set(rows.map(({ id }) => id));
    // Messages from before the watch are not news.
    if (seen === undefined) continue;
    for (const row of rows.toReversed()) {
      if (seen.has(row.id) || !filter(row)) continue;
      yield { notification: notificationJson(row), unread_count: unreadCount(rows) };
    }
  }
}

/** Marks a message as read or unread; throws `NotFound` unless it is a message of the user. */
export async function setReadStatus(
  { db }: Pick<InboxNeeds, "db">,
  userId: string,
  id: string,
  isRead: boolean,
): Promise<InboxMessage> {
  const row = await updateReadStatus(db, { userId, id, isRead });
  if (row === undefined) throw notFound();
  const rows = await selectInbox(db, userId);
  return { notification: notificationJson(row), unread_count: unreadCount(rows) };
}

/** Marks all messages of a user as read. */
export async function markAllRead({ db }: Pick<InboxNeeds, "db">, userId: string): Promise<void> {
  await markInboxRead(db, userId);
}

/** Sends a user the message that shows whether notifications arrive. */
export function sendTestMessage(needs: InboxNeeds, userId: string): Promise<void> {
  const text = { title: "A test notification", content: "This is a test notification." };
  return sendOwnMessage(needs, { userId, templateId: testTemplateId, ...text });
}

/** Sends a user a message that they wrote themselves. */
export function sendCustomMessage(
  needs: InboxNeeds,
  userId: string,
  { title, message }: CustomNotification["content"],
): Promise<void> {
  const text = { title, content: message };
  return sendOwnMessage(needs, { userId, templateId: customTemplateId, ...text });
}

async function sendOwnMessage(
  { db, pubsub }: InboxNeeds,
  message: Parameters<typeof insertOwnMessage>[1],
): Promise<void> {
  const { userId } = message;
  await insertOwnMessage(db, message);
  await pruneOwnMessages(db, userId, maxOwnMessages);
  await pruneInbox(db, userId, maxMessages);
  pubsub.publish(topics.inbox(userId));
}

/** A user's connection to an agent, and the owner of the agent's workspace. */
interface OthersConnection {
  readonly actorId: string;
  readonly ownerId: string;
  readonly agentId: string;
}

/** Notifies owners of workspaces of connections by other users. */
export class ConnectionNotices {
  readonly #needs: Pick<Platform, "db" | "pubsub" | "logger">;
  /** The pairs of user and agent being reported: repeated connections cost one statement at a time. */
  readonly #telling = new Set<string>();

  constructor(needs: Pick<Platform, "db" | "pubsub" | "logger">) {
    this.#needs = needs;
  }

  /** Notifies the owner of an agent's workspace in the background, unless the owner is the user. */
  tell({ actorId, ownerId, agentId }: OthersConnection): void {
    if (actorId === ownerId) return;
    const pair = `${actorId} ${agentId}`;
    if (this.#telling.has(pair)) return;
    this.#telling.add(pair);
    this.#tell(actorId, agentId)
      .catch((error: unknown) =>
        this.#needs.logger.warn({ error: errorText(error) }, "cannot notify owner of a connection"),
      )
      .finally(() => this.#telling.delete(pair));
  }

  async #tell(actorId: string, agentId: string): Promise<void> {
    const { db, pubsub } = this.#needs;
    const connection = { actorId, agentId, templateId: connectionTemplateId, quietSeconds };
    const ownerId = await upsertConnectionNotice(db, connection);
    if (ownerId === undefined) return;
    await pruneInbox(db, ownerId, maxMessages);
    pubsub.publish(topics.inbox(ownerId));
  }
}

function unreadCount(rows: readonly InboxRow[]): number {
  return rows.filter(({ read_at }) => read_at === null).length;
}

function notificationJson(row: InboxRow): InboxNotification {
  return { ...row, targets: [...row.targets], icon: "", actions: [] };
}
