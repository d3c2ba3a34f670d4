import { abortable } from "@slipway/runtime";

import { EngineError } from "../errors.ts";
import { listContainers, removeContainer } from "./engine-containers.ts";
import type { EngineContext } from "./engine-context.ts";
import { type FoundVolume, listVolumes, removeVolume } from "./engine-resources.ts";
import { removeOldHelpers } from "./helper-container.ts";
import { isOriginal, kindFilter, labelNames, type ObjectKind } from "./marks.ts";
import { removeOwnNetworks } from "./network.ts";

/*
 * What all workspaces of a deployment share: the volumes with the agent's archive, the pointers to them, and the network.
 */

/** The age at which a volume that nothing uses is a leftover, in milliseconds. */
const leftoverMs = 60 * 60_000;

/**
 * Keeps the removal of what all workspaces share apart from the tasks of this process that use it: between two requests
 * to the engine, what a container is about to use has no user that the engine knows.
 */
export class SharedResources {
  #users = 0;
  #removal: Promise<void> | undefined;

  /** Runs a task that uses them. Waits for a removal that has begun. */
  async use<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    while (this.#removal !== undefined) await abortable(this.#removal, signal);
    this.#users += 1;
    try {
      return await task();
    } finally {
      this.#users -= 1;
    }
  }

  /** Runs a removal, unless a task uses them: the end of another workspace will be followed by one. */
  async remove(removal: () => Promise<void>): Promise<void> {
    if (this.#users > 0 || this.#removal !== undefined) return;
    const removed = removal();
    // For those who wait, it has ended either way.
    this.#removal = removed.catch(() => undefined);
    try {
      await removed;
    } finally {
      this.#removal = undefined;
    }
  }
}

/**
 * Removes what no workspace uses after a build: everything if the last one was deleted, otherwise the archives of earlier
 * releases. A failure is logged; it fails no build.
 */
export async function removeUnused(
  context: EngineContext,
  transition: "stop" | "delete",
  signal: AbortSignal,
): Promise<void> {
  try {
    const isLast = transition === "delete" && !(await hasWorkspaces(context, signal));
    await (isLast ? removeAll(context, signal) : removeLeftovers(context, undefined, signal));
  } catch (error) {
    signal.throwIfAborted();
    context.logger.warn({ err: error }, "cannot remove what no workspace on Docker uses");
  }
}

async function hasWorkspaces(context: EngineContext, signal: AbortSignal): Promise<boolean> {
  const { engine, deploymentId } = context;
  const containers = await listContainers(
    engine,
    kindFilter({ deploymentId, kind: "agent" }),
    signal,
  );
  if (containers.some(isOriginal)) return true;
  return (await ownVolumes(context, "volume", signal)).length > 0;
}

async function removeAll(context: EngineContext, signal: AbortSignal): Promise<void> {
  const { engine, deploymentId } = context;
  const helpers = await listContainers(
    engine,
    kindFilter({ deploymentId, kind: "helper" }),
    signal,
  );
  for (const { id } of helpers.filter(isOriginal)) await removeContainer(engine, id, signal);
  // Pointers first: without them no start uses the volume.
  for (const kind of ["archive-pointer", "archive"] as const) {
    await removeUnusedVolumes(context, await ownVolumes(context, kind, signal), signal);
  }
  await removeOwnNetworks(context, signal);
}

/**
 * Removes volumes and pointers of earlier releases that no container uses, and what killed processes left. `current` is
 * the volume of this release (default: the one of the newest pointer).
 */
export async function removeLeftovers(
  context: EngineContext,
  current: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  await removeOldHelpers(context, signal);
  const pointers = await ownVolumes(context, "archive-pointer", signal);
  const newest = pointers.toSorted((a, b) => b.createdAtMs - a.createdAtMs)[0];
  const kept = current ?? newest?.labels[labelNames.target];
  const old = [
    ...pointers.filter(({ labels }) => labels[labelNames.target] !== kept),
    ...(await ownVolumes(context, "archive", signal)).filter(({ name }) => name !== kept),
  ];
  const youngest = context.clock.now() - leftoverMs;
  const leftovers = old.filter(({ createdAtMs }) => createdAtMs <= youngest);
  await removeUnusedVolumes(context, leftovers, signal);
}

async function ownVolumes(
  { engine, deploymentId }: EngineContext,
  kind: ObjectKind,
  signal: AbortSignal,
): Promise<readonly FoundVolume[]> {
  return (await listVolumes(engine, kindFilter({ deploymentId, kind }), signal)).filter(isOriginal);
}

async function removeUnusedVolumes(
  { engine }: EngineContext,
  volumes: readonly FoundVolume[],
  signal: AbortSignal,
): Promise<void> {
  for (const { name } of volumes) {
    try {
      await removeVolume(engine, name, signal);
    } catch (error) {
      // A container still uses it.
      if (!(error instanceof EngineError && error.status === 409)) throw error;
    }
  }
}
