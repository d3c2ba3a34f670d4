import { spread, Wake, whenAborted } from "@slipway/runtime";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import type { WorkspaceUpdateSchema } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { sql } from "kysely";

import { maySeeWorkspacesOf } from "../../platform/auth/rights.ts";
import type { Queryable } from "../../platform/db/database.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { buildStatus, newestBuild } from "../../platform/jobs/build-sql.ts";
import type { Platform } from "../../platform/platform.ts";
import { type PubSub, topics } from "../../platform/pubsub/pubsub.ts";
import { type ReachableWorkspace, ToldWorkspaces } from "./told-workspaces.ts";

/** The interval of reads without a hint. */
const repeatMs = 60_000;
/** The changes of this period make one update. */
const gatherMs = 100;

/**
 * Yields the workspaces of an owner with their agents, then the changes (docs/protocol/rpc.md §6.5). An owner whose
 * workspaces the user may not see has none. Throws the signal's reason.
 */
export async function* workspaceUpdates(
  { db, pubsub, clock }: Pick<Platform, "db" | "pubsub" | "clock">,
  user: UserCaller,
  ownerId: string,
  signal: AbortSignal,
): AsyncGenerator<MessageInitShape<typeof WorkspaceUpdateSchema>, void, undefined> {
  if (!maySeeWorkspacesOf(user, ownerId)) {
    yield {};
    await whenAborted(signal);
    return;
  }
  const told = new ToldWorkspaces();
  const wake = new Wake();
  using _ = pubsub.subscribe(topics.workspaces(ownerId), () => wake.wake());
  using hints = new WorkspaceHints(pubsub, () => wake.wake());
  for (;;) {
    const present = await selectReachableWorkspaces(db, ownerId);
    // Another read finds the changes from before a new subscription.
    if (hints.follow(present.map(({ id }) => id))) wake.wake();
    const update = told.update(present);
    if (update !== undefined) yield update;
    await clock.sleep(gatherMs, signal);
    await wake.wait(spread(repeatMs), clock, signal);
  }
}

/** Subscriptions to the hints of several workspaces, which come and go. */
class WorkspaceHints implements Disposable {
  readonly #pubsub: PubSub;
  readonly #listener: () => void;
  readonly #subscriptions = new Map<string, Disposable>();

  constructor(pubsub: PubSub, listener: () => void) {
    this.#pubsub = pubsub;
    this.#listener = listener;
  }

  /** Follows these workspaces and no others; returns true if one of them is new. */
  follow(ids: readonly string[]): boolean {
    const wanted = new Set(ids);
    for (const [id, subscription] of this.#subscriptions) {
      if (wanted.has(id)) continue;
      subscription[Symbol.dispose]();
      this.#subscriptions.delete(id);
    }
    const added = ids.filter((id) => !this.#subscriptions.has(id));
    for (const id of added) {
      this.#subscriptions.set(id, this.#pubsub.subscribe(topics.workspace(id), this.#listener));
    }
    return added.length > 0;
  }

  [Symbol.dispose](): void {
    this.follow([]);
  }
}

/** Selects the workspaces of an owner, with the agents of their newest builds. */
async function selectReachableWorkspaces(
  db: Queryable,
  ownerId: string,
): Promise<readonly ReachableWorkspace[]> {
  const { rows } = await sql<ReachableWorkspace>`
    select workspace.id, workspace.name, ${buildStatus("build", "job")} as status,
        coalesce(
          (select json_agg(json_build_object('id', agent.id, 'name', agent.name) order by agent.name)
            from workspace_agents agent
            where agent.workspace_build_id = build.id and not agent.deleted), '[]') as agents
      from workspaces workspace
      cross join lateral ${newestBuild(sql.ref("workspace.id"))} as build
      join jobs job on job.id = build.job_id
      where workspace.owner_id = ${ownerId} and not workspace.deleted
      order by workspace.name`.execute(db);
  return rows;
}
