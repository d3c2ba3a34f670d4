import type { KubernetesDriver } from "@slipway/drivers";
import { DriverError } from "@slipway/drivers";
import { withTimeout } from "@slipway/runtime";

import type { ProvePod } from "../features/agents/identity/pod-service.ts";
import { readDeploymentId } from "../features/deployment/service.ts";
import type { ArchiveStore } from "../features/downloads/archive-store.ts";
import type { Settings } from "../platform/config/settings.ts";
import { Unavailable } from "../platform/errors/errors.ts";
import type { Platform } from "../platform/platform.ts";
import { isOwnAddress, type Listener } from "./listen.ts";
import { readArchive } from "./read-archive.ts";

interface KubernetesParts extends Pick<Platform, "db" | "clock" | "logger"> {
  readonly store: Pick<ArchiveStore, "wait">;
}

/** The driver that runs pods, and what it learns once the server listens. */
export interface Kubernetes extends Disposable {
  readonly driver: KubernetesDriver;
  readonly provePod: ProvePod;
  useListener(listener: Pick<Listener, "accessUrl">): void;
}

/** The time in which a cluster must answer for a pod that proves its identity, in milliseconds. */
const proofMs = 10_000;

/** Opens the driver; undefined if the settings turn it off. Connects to nothing. */
export async function openKubernetes(
  { kubernetes, limits }: Pick<Settings, "kubernetes" | "limits">,
  { store, db, clock, logger }: KubernetesParts,
): Promise<Kubernetes | undefined> {
  const { source, namespace, allow, accessUrl, agentImage } = kubernetes;
  if (source === undefined) return undefined;
  let listener: Pick<Listener, "accessUrl"> | undefined;
  const drivers = await import("@slipway/drivers");
  const driver = new drivers.KubernetesDriver({
    source,
    namespace,
    allow,
    agentImage,
    startTimeoutMs: limits.maxPodStartSeconds * 1000,
    readArchive: (request) => readArchive(store, request),
    podUrl: () => accessUrl ?? reachableUrl(listener?.accessUrl),
    deploymentId: await readDeploymentId(db),
    clock,
    logger: logger.child({ driver: "kubernetes" }),
  });
  return {
    driver,
    provePod: (token, signal) => provePod(driver, token, signal),
    useListener: (opened) => void (listener = opened),
    [Symbol.dispose]: () => driver[Symbol.dispose](),
  };
}

async function provePod(
  driver: KubernetesDriver,
  token: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const limit = withTimeout(signal, proofMs);
  try {
    return await driver.provePod(token, limit);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof DriverError) && !limit.aborted) throw error;
    throw new Unavailable("The cluster of this pod does not answer.", { cause: error });
  }
}

/** Returns the access URL unless it leads to the machine that asks, which is a pod. */
function reachableUrl(accessUrl: string | undefined): string {
  if (accessUrl === undefined) throw new DriverError("unavailable", "the server is starting");
  if (!isOwnAddress(new URL(accessUrl).hostname)) return accessUrl;
  throw new DriverError(
    "unreachable",
    `pods cannot reach ${accessUrl}: set SLIPWAY_ACCESS_URL or SLIPWAY_KUBERNETES_ACCESS_URL to a URL that they reach, and SLIPWAY_HTTP_ADDRESS to an address at which the server listens for it`,
  );
}
