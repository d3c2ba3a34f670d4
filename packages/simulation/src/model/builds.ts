import type { Transaction } from "../store/transaction.ts";
import { endAgents, endResting, makeAgents, reviveAgents, takeOver } from "./agents.ts";
import { isOfSystem, type Model } from "./model.ts";
import type { BuildRow, Transition } from "./tables.ts";

/** The error that tells users why their request was refused. */
export class RefusalError extends Error {
  override readonly name = "RefusalError";
  readonly code = "refused";
}

export interface NewBuild {
  /** The workspace's owner at the time of the authorization check. */
  readonly ownerId: string;
  readonly transition: Transition;
  readonly versionId?: string;
  readonly presetId?: string | undefined;
  readonly initiatorId: string;
}

/** The time after which a silent worker loses its job, in milliseconds. */
export const leaseMs = 30_000;

/** Queues a build, as `builds/service.ts` does; throws `RefusalError` while another build is active. */
export async function createBuild(
  model: Model,
  trx: Transaction,
  workspaceId: string,
  input: NewBuild,
): Promise<BuildRow> {
  const view = model.view(trx);
  const workspace = await trx.run(() => trx.lock(model.tables.workspaces, workspaceId));
  if (workspace === undefined || workspace.deleted) throw new RefusalError("the workspace is gone");
  if (workspace.ownerId !== input.ownerId) throw new RefusalError("it has another owner now");
  const last = await trx.run(() => view.newest(workspaceId));
  if (last !== undefined && last.completedAtMs === undefined) {
    throw new RefusalError("a build is already active");
  }
  const versionId = input.versionId ?? last?.versionId;
  if (versionId === undefined) throw new TypeError("the first build needs a version");
  const build: BuildRow = {
    id: model.ids.next("b"),
    workspaceId,
    number: (last?.number ?? 0) + 1,
    transition: input.transition,
    versionId,
    presetId: input.presetId ?? last?.presetId,
    initiatorId: input.initiatorId,
    ownerId: workspace.ownerId,
    createdAtMs: trx.nowMs,
    workerId: undefined,
    leaseUntilMs: 0,
    canceledAtMs: undefined,
    completedAtMs: undefined,
    error: undefined,
  };
  await trx.run(() => trx.insert(model.tables.builds, build));
  return build;
}

/**
 * Records the build of a claim in the transaction that changed the owner, as `workspaces/create/claim-workspace.ts`
 * does.
 */
export async function createClaimBuild(
  model: Model,
  trx: Transaction,
  workspaceId: string,
  input: Omit<NewBuild, "transition">,
): Promise<BuildRow> {
  const build = await createBuild(model, trx, workspaceId, { ...input, transition: "start" });
  if (!model.claimsAtOnce) return build;
  await takeOver(model, trx, build);
  // The build belongs to the machine on which the prebuild runs.
  const workerId = model.view(trx).builds(workspaceId)[1]?.workerId;
  await trx.run(() =>
    trx.update(model.tables.builds, build.id, () => ({ completedAtMs: trx.nowMs, workerId })),
  );
  return build;
}

/** Acquires a job that waits or whose worker is silent; users' jobs come before the system's. */
export function acquireJob(
  model: Model,
  trx: Transaction,
  workerId: string,
  active: ReadonlySet<string>,
): BuildRow | undefined {
  const { builds } = model.tables;
  const isFree = (build: BuildRow): boolean =>
    build.completedAtMs === undefined &&
    !active.has(build.id) &&
    (build.workerId === undefined || build.leaseUntilMs < trx.nowMs || build.workerId === workerId);
  const found = trx
    .all(builds)
    .filter(isFree)
    .toSorted(
      (a, b) => Number(isOfSystem(a)) - Number(isOfSystem(b)) || a.createdAtMs - b.createdAtMs,
    )
    .find(({ id }) => trx.tryLock(builds, id));
  if (found === undefined) return undefined;
  trx.update(builds, found.id, () => ({ workerId, leaseUntilMs: trx.nowMs + leaseMs }));
  return trx.get(builds, found.id);
}

/** Ends a job and writes its result; false if another worker has acquired it. */
export async function completeJob(
  model: Model,
  trx: Transaction,
  { id, transition, workspaceId }: BuildRow,
  workerId: string,
  error: string | undefined,
): Promise<boolean> {
  const { builds, workspaces } = model.tables;
  const isOurs = await trx.run(() =>
    trx.update(builds, id, (row) =>
      row.workerId === workerId && row.completedAtMs === undefined
        ? {
            completedAtMs: trx.nowMs,
            error,
            ...(error === undefined ? { canceledAtMs: undefined } : {}),
          }
        : undefined,
    ),
  );
  const build = trx.get(builds, id);
  if (!isOurs || build === undefined) return false;
  if (error !== undefined) {
    if (transition === "start") {
      await trx.run(() => endAgents(model, trx, id));
      await trx.run(() => reviveAgents(model, trx, build));
    }
  } else if (model.rules.predecessor(model.view(trx), build) !== undefined) {
    await takeOver(model, trx, build);
  } else if (transition === "delete") {
    await trx.run(() => trx.update(workspaces, workspaceId, () => ({ deleted: true })));
  }
  return true;
}

/** Makes the agents of an ordinary start before its driver is called, once. */
export async function prepareAgents(
  model: Model,
  trx: Transaction,
  build: BuildRow,
): Promise<void> {
  const known = await trx.run(() => model.view(trx).agents(build.id));
  if (known.length > 0) return;
  const resting = await trx.run(() => endResting(model, trx, build));
  await trx.run(() => makeAgents(model, trx, build, resting));
}

/** Marks a build for cancellation; one that has not begun ends immediately. */
export function cancelBuild(model: Model, trx: Transaction, buildId: string): boolean {
  return trx.update(model.tables.builds, buildId, (row) =>
    row.completedAtMs === undefined && row.canceledAtMs === undefined
      ? {
          canceledAtMs: trx.nowMs,
          ...(row.workerId === undefined ? { completedAtMs: trx.nowMs } : {}),
        }
      : undefined,
  );
}
