import type { Queryable } from "../../platform/db/database.ts";
import { maxMessages } from "./inbox-service.ts";
import { pruneInbox, upsertNotice } from "./queries.ts";

/** The messages about workspaces that are dormant. */
const dormancyTemplateId = "0b3a5a0e-3d0c-4d77-8f0c-5f0f6a7a9c21";

/** Tells an owner that a workspace is dormant. The caller publishes `topics.inbox` of the owner after its commit. */
export async function writeDormancyNotice(
  db: Queryable,
  workspace: { readonly ownerId: string; readonly id: string; readonly name: string },
): Promise<void> {
  const { ownerId, id, name } = workspace;
  await upsertNotice(db, {
    userId: ownerId,
    occasion: `dormant:${id}`,
    templateId: dormancyTemplateId,
    targets: [id],
    title: `${name} is dormant`,
    content: `Your workspace ${name} was not used for a long time, so it is dormant. Activate it before you start it.`,
  });
  await pruneInbox(db, ownerId, maxMessages);
}
