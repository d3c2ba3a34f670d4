import { randomUUID } from "node:crypto";

import { createContainer, listContainers, removeContainer } from "./engine-containers.ts";
import type { EngineContext } from "./engine-context.ts";
import { isOriginal, kindFilter, markOf } from "./marks.ts";

/** The time for removing a helper after its task was aborted, in milliseconds. */
const removalMs = 60_000;

/** The age at which a helper is a leftover of a process that was killed, in milliseconds. */
const leftoverMs = 60 * 60_000;

/**
 * Creates a container for a task and removes it afterwards. It never runs unless the task starts it. `config` is the
 * body of the request without labels.
 */
export async function withHelper<T>(
  { engine, deploymentId }: EngineContext,
  config: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
  task: (id: string) => Promise<T>,
): Promise<T> {
  const name = `slipway-helper-${randomUUID()}`;
  const body = { ...config, Labels: markOf({ deploymentId, kind: "helper", name }) };
  try {
    return await task(await createContainer(engine, name, body, signal));
  } finally {
    // By its name: an aborted request may have created it. The task's error, if any, is the one that counts.
    await removeContainer(engine, name, AbortSignal.timeout(removalMs)).catch(() => undefined);
  }
}

/** Removes the helpers of killed processes. */
export async function removeOldHelpers(
  { engine, deploymentId, clock }: EngineContext,
  signal: AbortSignal,
): Promise<void> {
  const found = await listContainers(engine, kindFilter({ deploymentId, kind: "helper" }), signal);
  const oldest = (clock.now() - leftoverMs) / 1000;
  for (const helper of found.filter(isOriginal)) {
    if (helper.createdAtS < oldest) await removeContainer(engine, helper.id, signal);
  }
}
