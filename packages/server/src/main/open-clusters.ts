import { DriverError, type KubernetesDriver } from "@slipway/drivers";
import { withTimeout } from "@slipway/runtime";

import type { ProvedPod, ProvePod } from "../features/agents/identity/pod-service.ts";
import { readDeploymentId } from "../features/deployment/service.ts";
import type { ArchiveStore } from "../features/downloads/archive-store.ts";
import type { Settings } from "../platform/config/settings.ts";
import { Unavailable } from "../platform/errors/errors.ts";
import type { Platform } from "../platform/platform.ts";
import { isOwnAddress, type Listener } from "./listen.ts";
import { readArchive } from "./read-archive.ts";

interface ClusterParts extends Pick<Platform, "db" | "clock" | "logger"> {
  readonly store: Pick<ArchiveStore, "wait">;
}

/** The drivers that run pods, one for each cluster, and what they learn once the server listens. */
export interface Clusters extends Disposable {
  readonly drivers: readonly KubernetesDriver[];
  readonly provePod: ProvePod;
  useListener(listener: Pick<Listener, "accessUrl">): void;
}

/** The time in which a cluster must answer for a pod that proves its identity, in milliseconds. */
const proofMs = 10_000;

/** Opens the drivers; undefined if the settings name no cluster. Connects to nothing. */
export async function openClusters(
  { clusters, limits }: Pick<Settings, "clusters" | "limits">,
  { store, db, clock, logger }: ClusterParts,
): Promise<Clusters | undefined> {
  if (clusters.length === 0) return undefined;
  let listener: Pick<Listener, "accessUrl"> | undefined;
  const { KubernetesDriver: Driver } = await import("@slipway/drivers");
  const deploymentId = await readDeploymentId(db);
  const drivers = clusters.map(
    ({ accessUrl, variables, ...cluster }) =>
      new Driver({
        ...cluster,
        variables,
        startTimeoutMs: limits.maxPodStartSeconds * 1000,
        readArchive: (request) => readArchive(store, request),
        podUrl: () => accessUrl ?? reachableUrl(listener?.accessUrl, variables.accessUrl),
        deploymentId,
        clock,
        logger: logger.child({ driver: cluster.name }),
      }),
  );
  return {
    drivers,
    provePod: (token, signal) =>
      firstProof(drivers.map((driver) => provePod(driver, token, signal))),
    useListener: (opened) => void (listener = opened),
    [Symbol.dispose]: () => drivers.forEach((driver) => driver[Symbol.dispose]()),
  };
}

/**
 * Resolves to the first pod that a cluster knows, without waiting for the others; to undefined if all have answered that they
 * know none. Rejects if one of them failed instead.
 */
async function firstProof(
  proofs: readonly Promise<ProvedPod | undefined>[],
): Promise<ProvedPod | undefined> {
  const known = proofs.map(async (proof) => {
    const pod = await proof;
    if (pod === undefined) throw new Error("the pod is not of this cluster");
    return pod;
  });
  try {
    return await Promise.any(known);
  } catch {
    await Promise.all(proofs);
    return undefined;
  }
}

async function provePod(
  driver: KubernetesDriver,
  token: string,
  signal: AbortSignal,
): Promise<ProvedPod | undefined> {
  const limit = withTimeout(signal, proofMs);
  try {
    const tokenHash = await driver.provePod(token, limit);
    return tokenHash === undefined ? undefined : { tokenHash, driver: driver.name };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof DriverError) && !limit.aborted) throw error;
    throw new Unavailable("The cluster of this pod does not answer.", { cause: error });
  }
}

/** Returns the access URL unless it leads to the machine that asks, which is a pod. */
function reachableUrl(accessUrl: string | undefined, variable: string): string {
  if (accessUrl === undefined) throw new DriverError("unavailable", "the server is starting");
  if (!isOwnAddress(new URL(accessUrl).hostname)) return accessUrl;
  throw new DriverError(
    "unreachable",
    `pods cannot reach ${accessUrl}: set SLIPWAY_ACCESS_URL or ${variable} to a URL that they reach, and SLIPWAY_HTTP_ADDRESS to an address at which the server listens for it`,
  );
}
