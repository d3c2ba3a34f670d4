import type { Workspace } from "@slipway/api";

import { topics } from "../pubsub/pubsub.ts";
import { watch } from "../pubsub/watch.ts";
import { describeWorkspace, requireStillThere, type WorkspaceNeeds } from "./service.ts";

/** Without a hint it is read again after this long: an agent that is not heard of any more sends none. */
const repeatMs = 10_000;
/** Changes of this time make one event. */
const gatherMs = 100;

/**
 * A workspace at once, then after each change (`clients.md` section 4.1): of its builds, its agents, its settings, and of
 * which version its template has active. A deleted one still tells that.
 */
export async function* watchWorkspace(
  { db, pubsub, clock }: WorkspaceNeeds,
  workspace: { readonly id: string; readonly template_id: string },
  signal: AbortSignal,
): AsyncGenerator<Workspace, void, undefined> {
  const looks = watch({
    pubsub,
    topics: [topics.workspace(workspace.id), topics.template(workspace.template_id)],
    maxWaitMs: repeatMs,
    clock,
    signal,
  });
  let last = "";
  for await (const _ of looks) {
    const row = await requireStillThere(db, workspace.id);
    const found = await describeWorkspace(db, row, clock.now());
    const text = JSON.stringify(found);
    if (text !== last) yield found;
    last = text;
    await clock.sleep(gatherMs, signal);
  }
}
