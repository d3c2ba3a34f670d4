import type { Queryable } from "../../platform/db/database.ts";
import { maxMessages } from "./inbox-service.ts";
import { pruneInbox, upsertNotice } from "./queries.ts";

/** The template of messages about dormant workspaces. */
const dormancyTemplateId = "0b3a5a0e-3d0c-4d77-8f0c-5f0f6a7a9c21";

/** A dormant workspace and its owner. */
interface Subject {
  readonly ownerId: string;
  readonly id: string;
  readonly name: string;
}

/**
 * Tells an owner that a workspace is dormant, and when it will be deleted. Each message about a workspace replaces the
 * previous one. The caller publishes `topics.inbox` of the owner after its commit.
 */
export async function writeDormancyNotice(
  db: Queryable,
  workspace: Subject,
  { isUnused, deletingAt }: { readonly isUnused: boolean; readonly deletingAt: number | undefined },
): Promise<void> {
  const { name } = workspace;
  const fact = isUnused
    ? `Your workspace ${name} was not used for a long time, so it is dormant.`
    : `Your workspace ${name} was made dormant.`;
  const advice =
    deletingAt === undefined
      ? "Activate it before you start it."
      : `It will be deleted on ${timeText(deletingAt)} unless you activate or start it.`;
  await write(db, workspace, { title: `${name} is dormant`, content: `${fact} ${advice}` });
}

/** Tells an owner that a dormant workspace is about to be deleted, as `writeDormancyNotice` does. */
export async function writeDeletionNotice(
  db: Queryable,
  workspace: Subject,
  deletingAt: number,
): Promise<void> {
  const { name } = workspace;
  await write(db, workspace, {
    title: `${name} will be deleted`,
    content: `Your dormant workspace ${name} will be deleted on ${timeText(deletingAt)} unless you activate or start it.`,
  });
}

/** Tells an owner that a dormant workspace was deleted, as `writeDormancyNotice` does. */
export async function writeDeletedNotice(db: Queryable, workspace: Subject): Promise<void> {
  const { name } = workspace;
  await write(db, workspace, {
    title: `${name} was deleted`,
    content: `Your workspace ${name} was dormant for a long time, so it was deleted.`,
  });
}

async function write(
  db: Queryable,
  { ownerId, id }: Subject,
  text: { readonly title: string; readonly content: string },
): Promise<void> {
  await upsertNotice(db, {
    userId: ownerId,
    occasion: `dormant:${id}`,
    templateId: dormancyTemplateId,
    targets: [id],
    ...text,
  });
  await pruneInbox(db, ownerId, maxMessages);
}

/** Formats a time to the minute, never later than it is. */
function timeText(ms: number): string {
  const text = new Date(ms).toISOString();
  return `${text.slice(0, 10)} at ${text.slice(11, 16)} UTC`;
}
