import { DockerDriver, DriverError } from "@slipway/drivers";
import { type Clock, errorText, type Logger } from "@slipway/runtime";

import type { ArchiveStore } from "../features/downloads/archive-store.ts";
import type { DockerSettings } from "../platform/config/docker-settings.ts";
import type { Settings } from "../platform/config/settings.ts";
import { isOwnAddress, type Listener } from "./listen.ts";
import { readArchive } from "./read-archive.ts";
import { readRegistryCredentials } from "./registry-credentials.ts";

interface DockerParts {
  readonly store: Pick<ArchiveStore, "wait">;
  /** Distinguishes the containers of servers that share an engine. */
  readonly replicaId: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The driver that runs containers, and what it learns once the server listens. */
export interface Docker {
  readonly driver: DockerDriver;
  /** Returns whether an engine answers. */
  isThere(signal: AbortSignal): Promise<boolean>;
  useListener(listener: Pick<Listener, "accessUrl" | "listenOn">): void;
}

/** Opens the driver; undefined if the settings turn it off. Connects to nothing. */
export function openDocker(
  { docker }: Pick<Settings, "docker">,
  { store, replicaId, clock, logger }: DockerParts,
): Docker | undefined {
  const { endpoint, allow, runtimes, network, configFile } = docker;
  if (endpoint === undefined) return undefined;
  let listener: Pick<Listener, "accessUrl" | "listenOn"> | undefined;
  const driver: DockerDriver = new DockerDriver({
    endpoint,
    allow,
    runtimes,
    network,
    readArchive: (request) => readArchive(store, request),
    containerUrl: async (signal) => {
      if (listener === undefined) throw refusal("unavailable", "the server is starting");
      return containerUrl(docker, { listener, driver }, signal);
    },
    registryAuth: async (registry) => readRegistryCredentials(configFile, registry),
    deploymentId: replicaId,
    clock,
    logger: logger.child({ driver: "docker" }),
  });
  return {
    driver,
    isThere: (signal) => isThere(driver, signal),
    useListener: (opened) => void (listener = opened),
  };
}

/** The time an engine has to answer, in milliseconds. */
const answerMs = 2_000;

async function isThere(driver: Pick<DockerDriver, "watch">, signal: AbortSignal): Promise<boolean> {
  const ending = new AbortController();
  let hasAnswered = false;
  const until = AbortSignal.any([signal, ending.signal, AbortSignal.timeout(answerMs)]);
  const report = (): void => {
    hasAnswered = true;
    ending.abort();
  };
  await driver.watch(report, until).catch(() => signal.throwIfAborted());
  return hasAnswered;
}

interface UrlNeeds {
  readonly listener: Pick<Listener, "accessUrl" | "listenOn">;
  readonly driver: Pick<DockerDriver, "gatewayAddress">;
}

/**
 * Returns the URL at which containers reach the server: the configured one; or the access URL, unless it leads to the
 * machine that asks; or one on the network of the containers, where the server then listens too.
 */
async function containerUrl(
  { accessUrl }: Pick<DockerSettings, "accessUrl">,
  { listener, driver }: UrlNeeds,
  signal: AbortSignal,
): Promise<string> {
  if (accessUrl !== undefined) return accessUrl;
  if (!isOwnAddress(new URL(listener.accessUrl).hostname)) return listener.accessUrl;
  const gateway = await driver.gatewayAddress(signal);
  const { port } = new URL(listener.accessUrl);
  const set = `set SLIPWAY_ACCESS_URL or SLIPWAY_DOCKER_ACCESS_URL to a URL that they reach, and SLIPWAY_HTTP_ADDRESS to an address at which the server listens for it, such as 0.0.0.0:${port || "3000"}`;
  if (gateway === undefined) {
    throw refusal("unreachable", `containers cannot reach ${listener.accessUrl}: ${set}`);
  }
  try {
    return await listener.listenOn(gateway);
  } catch (error) {
    throw refusal(
      "unreachable",
      `cannot listen on ${gateway}, the address of this machine on the network of the containers (${errorText(error)}): ${set}`,
    );
  }
}

function refusal(code: DriverError["code"], message: string): DriverError {
  return new DriverError(code, message);
}
