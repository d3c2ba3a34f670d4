import { DriverError, EngineError } from "../errors.ts";
import type { EngineContext } from "./engine-context.ts";
import {
  createNetwork,
  type FoundNetwork,
  inspectNetwork,
  listNetworks,
  removeNetwork,
} from "./engine-resources.ts";
import { isOriginal, kindFilter, markOf, shortDeployment } from "./marks.ts";
import type { PermittedAgent } from "./policy.ts";

/** The network of a container, as the engine takes it. */
export interface ContainerNetwork {
  readonly mode: string;
  /** Entries of `/etc/hosts`. */
  readonly extraHosts: readonly string[];
}

export interface NetworkOptions {
  /** The operator's choice; undefined for a network of the driver. */
  readonly operatorNetwork: string | undefined;
  readonly isRootless: boolean;
}

/** Returns the network of an agent's container, which is created if need be. */
export async function provideNetwork(
  context: EngineContext,
  { name, container: { docker } }: PermittedAgent,
  { operatorNetwork, isRootless }: NetworkOptions,
  signal: AbortSignal,
): Promise<ContainerNetwork> {
  const { extraHosts } = docker;
  if (docker.hostNetwork) return { mode: "host", extraHosts };
  const wanted = docker.network || operatorNetwork;
  const network =
    wanted === undefined
      ? await provideOwnNetwork(context, signal)
      : await inspectNetwork(context.engine, wanted, signal);
  if (network === undefined) {
    throw new DriverError(
      docker.network === "" ? "not-startable" : "invalid-template",
      docker.network === ""
        ? `Docker has no network ${wanted}, which SLIPWAY_DOCKER_NETWORK names`
        : `agents.${name}.container.docker.network: Docker has no network ${wanted}`,
    );
  }
  const host = isRootless ? [] : [`host.docker.internal:${hostAddress(network)}`];
  return { mode: network.id, extraHosts: [...host, ...extraHosts] };
}

/**
 * Returns the host's address on a network: its gateway, or what Docker takes for the host. The networks of a rootless
 * engine do not have it; podman itself names the host there, `host.containers.internal`.
 */
function hostAddress({ driver, gateway }: FoundNetwork): string {
  return driver === "bridge" && gateway !== "" ? gateway : "host-gateway";
}

/**
 * Returns the network of the deployment's containers: a bridge on which they do not reach each other, only the host and
 * other networks. Of two that are created at once, the older one stays.
 */
export async function provideOwnNetwork(
  context: EngineContext,
  signal: AbortSignal,
): Promise<FoundNetwork> {
  const found = await findOwnNetworks(context, signal);
  if (found[0] !== undefined) return found[0];
  const { engine, deploymentId } = context;
  const name = `slipway-${shortDeployment(deploymentId)}`;
  const body = {
    Name: name,
    Driver: "bridge",
    CheckDuplicate: true,
    Labels: markOf({ deploymentId, kind: "network", name }),
    // Podman has no such option.
    Options: engine.isPodman ? {} : { "com.docker.network.bridge.enable_icc": "false" },
  };
  try {
    await createNetwork(engine, body, signal);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    // Another process may have been faster.
    if ((await findOwnNetworks(context, signal)).length === 0) throw error;
  }
  const [first, ...others] = await findOwnNetworks(context, signal);
  for (const other of others) await removeNetwork(engine, other.id, signal).catch(ignoreInUse);
  if (first !== undefined) return first;
  throw new DriverError("not-startable", `Docker's network ${name} was not created by this server`);
}

/** Removes the networks of the deployment that no container uses. */
export async function removeOwnNetworks(
  context: EngineContext,
  signal: AbortSignal,
): Promise<void> {
  for (const { id } of await findOwnNetworks(context, signal)) {
    await removeNetwork(context.engine, id, signal).catch(ignoreInUse);
  }
}

function ignoreInUse(error: unknown): void {
  // Docker answers 403 if containers are connected, podman 409.
  if (!(error instanceof EngineError && [403, 409].includes(error.status))) throw error;
}

/** Lists our networks, the oldest one first. */
async function findOwnNetworks(
  { engine, deploymentId }: EngineContext,
  signal: AbortSignal,
): Promise<readonly FoundNetwork[]> {
  const filter = kindFilter({ deploymentId, kind: "network" });
  const found = (await listNetworks(engine, filter, signal)).filter(isOriginal);
  return found.toSorted((a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1));
}
