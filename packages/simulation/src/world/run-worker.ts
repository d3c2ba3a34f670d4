import { topics } from "@slipway/server/claims";

import { acquireJob, completeJob, leaseMs, prepareAgents } from "../model/builds.ts";
import type { BuildRow } from "../model/tables.ts";
import type { Compute } from "./compute.ts";
import { looks } from "./looks.ts";
import type { ServerProcess } from "./server-process.ts";

/** The interval at which the queue is checked without a hint, in milliseconds. */
const pollMs = 10_000;
const retryMs = 1_000;

/** Acquires builds and carries them out, as the server's job worker does. */
export async function runWorker(server: ServerProcess, compute: Compute): Promise<void> {
  const { model, life } = server;
  const active = new Set<string>();
  for await (const _ of looks(server, topics.jobQueue, pollMs)) {
    try {
      for (;;) {
        const build = await model.db.query(life, (trx) =>
          acquireJob(model, trx, life.name, active),
        );
        if (build === undefined) break;
        active.add(build.id);
        void carryOut(server, compute, build).finally(() => {
          active.delete(build.id);
          server.hints.publish(topics.jobQueue);
        });
      }
    } catch {
      // The database was unavailable; the next check follows soon.
    }
  }
}

async function carryOut(server: ServerProcess, compute: Compute, build: BuildRow): Promise<void> {
  const { model, life, hints, trace } = server;
  const { id, workspaceId } = build;
  const ended = new AbortController();
  using _ = hints.subscribe(topics.jobCancel(id), () => void abortIfOver(server, build, ended));
  const renewing = keepLease(server, build, ended);
  try {
    trace.add(
      life.name,
      () => `begins ${id}, a ${build.transition} of ${workspaceId}`,
      workspaceId,
    );
    const error = await driverResult(server, compute, build, ended.signal);
    const isOurs = await model.db.transaction(life, (trx) =>
      completeJob(model, trx, build, life.name, error),
    );
    trace.add(
      life.name,
      () => `${id} ${isOurs ? (error ?? "succeeds") : "is another's"}`,
      workspaceId,
    );
    for (const topic of [topics.workspace(workspaceId), topics.claim(workspaceId)]) {
      hints.publish(topic);
    }
  } catch {
    // Another worker acquires it again.
    await life.sleep(retryMs, new AbortController().signal);
  } finally {
    ended.abort(new Error("over"));
  }
  await renewing;
}

/** Resolves to the result of the driver's work: an error, or undefined. */
async function driverResult(
  { model, life }: ServerProcess,
  compute: Compute,
  build: BuildRow,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { rules, db } = model;
  const predecessor = await db.query(life, (trx) => rules.predecessor(model.view(trx), build));
  const starts = build.transition === "start" && predecessor === undefined;
  if (starts) await db.transaction(life, (trx) => prepareAgents(model, trx, build));
  const agents = await db.query(life, (trx) =>
    model.view(trx).rootAgents(predecessor?.id ?? build.id),
  );
  const kind = predecessor === undefined ? build.transition : "claim";
  return compute.carryOut(life, { workspaceId: build.workspaceId, kind, agents }, signal);
}

/** Renews the lease for the duration of the build; ends the build when it was canceled or another worker has it. */
async function keepLease(
  server: ServerProcess,
  build: BuildRow,
  ended: AbortController,
): Promise<void> {
  while (!ended.signal.aborted) {
    await server.life.sleep(leaseMs / 3, ended.signal).catch(() => undefined);
    if (!ended.signal.aborted) await abortIfOver(server, build, ended);
  }
}

async function abortIfOver(
  { model, life }: ServerProcess,
  { id }: BuildRow,
  ended: AbortController,
): Promise<void> {
  try {
    const isKept = await model.db.query(
      life,
      (trx) =>
        trx.update(model.tables.builds, id, (row) =>
          row.workerId === life.name && row.completedAtMs === undefined
            ? { leaseUntilMs: trx.nowMs + leaseMs }
            : undefined,
        ) && trx.get(model.tables.builds, id)?.canceledAtMs === undefined,
    );
    if (!isKept) ended.abort(new Error("canceled"));
  } catch {
    // The next renewal retries.
  }
}
