import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";

/** A message to a user. */
export interface InboxRow {
  readonly id: string;
  readonly user_id: string;
  readonly template_id: string;
  readonly targets: readonly string[];
  readonly title: string;
  readonly content: string;
  readonly read_at: string | null;
  readonly created_at: string;
}

const columns = [
  "id",
  "user_id",
  "template_id",
  "targets",
  "title",
  "content",
  "read_at",
  "created_at",
] as const;

/** The setting in `deployment` that holds when notifications were paused. */
export const notificationsKey = "notifications_settings";

/** The condition of a delivered message: while notifications are paused, those that came before the pause. */
const isDelivered = sql<boolean>`created_at < coalesce(
  (select (value::json ->> 'paused_at')::timestamptz from deployment where key = ${notificationsKey}), 'infinity')`;

/** Replaces a message with one of the same occasion, which is unread again. */
const replaced = sql`
  set id = excluded.id, title = excluded.title, content = excluded.content, read_at = null,
    created_at = excluded.created_at`;

interface Connection {
  readonly agentId: string;
  readonly actorId: string;
  readonly templateId: string;
  /** The time for which further connections of the same user to the same workspace are not reported. */
  readonly quietSeconds: number;
}

/**
 * Notifies the owner of an agent's workspace that another user has connected to it. Resolves to the owner if that is news;
 * the owner of prebuilds is not notified.
 */
export async function upsertConnectionNotice(
  db: Queryable,
  { agentId, actorId, templateId, quietSeconds }: Connection,
): Promise<string | undefined> {
  const { rows } = await sql<{ user_id: string }>`
    insert into inbox_notifications as notice (user_id, occasion, template_id, targets, title, content)
      select owner.id, 'connection:' || workspace.id || ':' || actor.id, ${templateId}::uuid,
          array[workspace.id], actor.username || ' connected to ' || workspace.name,
          'The user ' || actor.username || ' connected to your workspace ' || workspace.name || '.'
        from workspace_agents agent
          join workspace_builds build on build.id = agent.workspace_build_id
          join workspaces workspace on workspace.id = build.workspace_id
          join users owner on owner.id = workspace.owner_id
          join users actor on actor.id = ${actorId}::uuid
        where agent.id = ${agentId}::uuid and owner.id <> actor.id and not owner.is_system
      on conflict (user_id, occasion) do update
        ${replaced}
        where notice.created_at < now() - make_interval(secs => ${quietSeconds}::float8)
      returning user_id`.execute(db);
  return rows[0]?.user_id;
}

interface OwnMessage {
  readonly userId: string;
  readonly templateId: string;
  readonly title: string;
  readonly content: string;
}

/** Inserts a message that a user sends to themselves; each is a separate occasion. */
export async function insertOwnMessage(
  db: Queryable,
  { userId, templateId, title, content }: OwnMessage,
): Promise<void> {
  await sql`
    insert into inbox_notifications (user_id, occasion, template_id, targets, title, content)
      values (${userId}, 'own:' || gen_random_uuid(), ${templateId}, '{}', ${title}, ${content})`.execute(
    db,
  );
}

/** A message that replaces the one of the same occasion. */
interface Notice {
  readonly userId: string;
  readonly occasion: string;
  readonly templateId: string;
  readonly targets: readonly string[];
  readonly title: string;
  readonly content: string;
}

/** Writes a message, unread, in place of the one of the same occasion. */
export async function upsertNotice(db: Queryable, notice: Notice): Promise<void> {
  const { userId, occasion, templateId, targets, title, content } = notice;
  await sql`
    insert into inbox_notifications (user_id, occasion, template_id, targets, title, content)
      values (${userId}, ${occasion}, ${templateId}, ${[...targets]}, ${title}, ${content})
      on conflict (user_id, occasion) do update
        ${replaced}`.execute(db);
}

/** Deletes all but the newest messages of a user. */
export function pruneInbox(db: Queryable, userId: string, kept: number): Promise<void> {
  return pruneOccasions(db, userId, "%", kept);
}

/** Deletes the messages that a user sent to themselves but the newest. */
export function pruneOwnMessages(db: Queryable, userId: string, kept: number): Promise<void> {
  return pruneOccasions(db, userId, "own:%", kept);
}

async function pruneOccasions(
  db: Queryable,
  userId: string,
  pattern: string,
  kept: number,
): Promise<void> {
  await sql`
    delete from inbox_notifications where id = any(array(
      select id from inbox_notifications where user_id = ${userId} and occasion like ${pattern}
        order by created_at desc, id desc offset ${kept}))`.execute(db);
}

/** Selects all delivered messages of a user, newest first. */
export function selectInbox(db: Queryable, userId: string): Promise<InboxRow[]> {
  return db
    .selectFrom("inbox_notifications")
    .select(columns)
    .where("user_id", "=", userId)
    .where(isDelivered)
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .execute();
}

/** Marks a message of a user as read or unread; undefined if there is none. */
export function updateReadStatus(
  db: Queryable,
  {
    userId,
    id,
    isRead,
  }: { readonly userId: string; readonly id: string; readonly isRead: boolean },
): Promise<InboxRow | undefined> {
  return db
    .updateTable("inbox_notifications")
    .set({ read_at: isRead ? sql`coalesce(read_at, now())` : null })
    .where("id", "=", id)
    .where("user_id", "=", userId)
    .where(isDelivered)
    .returning(columns)
    .executeTakeFirst();
}

/** Marks all delivered messages of a user as read. */
export async function markInboxRead(db: Queryable, userId: string): Promise<void> {
  await db
    .updateTable("inbox_notifications")
    .set({ read_at: sql`now()` })
    .where("user_id", "=", userId)
    .where("read_at", "is", null)
    .where(isDelivered)
    .execute();
}
