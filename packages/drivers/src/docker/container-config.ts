import type { DriverContainer } from "../driver-build.ts";
import { archiveMount } from "./archive-volume.ts";
import type { EngineInfo } from "./engine.ts";
import { archiveDirectory } from "./entry-script.ts";
import type { ContainerNetwork } from "./network.ts";

/** The processes and threads of a container whose template sets no limit: a fork bomb ends at it. */
const defaultPids = 4096;

/**
 * Capabilities of Docker's default set that no workspace needs: raw packets forge the addresses of other containers on
 * the bridge (`ping` works without), and devices come from the template. `no-new-privileges` stays off: `sudo` in
 * development images needs its setuid bit, and root in a container has only these capabilities.
 */
const droppedCapabilities = ["NET_RAW", "MKNOD"];

/** The output of a container that the engine keeps: what the agent logs if it cannot start. */
const outputLimits = { Type: "json-file", Config: { "max-size": "1m", "max-file": "2" } };

export interface HostConfigInput {
  readonly container: DriverContainer;
  readonly archiveVolume: string;
  readonly network: ContainerNetwork;
  readonly info: EngineInfo;
  /** True if the operator permits ports on the host. */
  readonly publishesPorts: boolean;
}

/** Returns what a container gets of its host, as the engine takes it. `volumes` are mounts of the workspace's volumes. */
export function hostConfig(
  { container, archiveVolume, network, info: { limits }, publishesPorts }: HostConfigInput,
  volumes: readonly unknown[],
): Readonly<Record<string, unknown>> {
  const { docker } = container;
  const { memoryBytes, storageBytes } = container;
  const pids = container.pids ?? (limits.pids ? defaultPids : undefined);
  const config = {
    NetworkMode: network.mode,
    ExtraHosts: network.extraHosts,
    Mounts: [archiveMount(archiveVolume, true), ...volumes],
    Binds: docker.binds,
    Privileged: docker.isPrivileged,
    PidMode: docker.hostPid ? "host" : "",
    Devices: docker.devices.map(device),
    DeviceRequests: gpuRequests(docker.gpus),
    CapDrop: docker.isPrivileged ? [] : droppedCapabilities,
    CapAdd: docker.capabilities,
    PortBindings: publishesPorts ? portBindings(container) : {},
    LogConfig: outputLimits,
    RestartPolicy: { Name: "no" },
  };
  const limited = {
    NanoCpus: container.cpus === undefined ? undefined : Math.round(container.cpus * 1e9),
    Memory: memoryBytes,
    // Equal to the memory: no swap in addition.
    MemorySwap: limits.swap ? memoryBytes : undefined,
    PidsLimit: pids,
    ShmSize: docker.shmBytes,
    StorageOpt: storageBytes === undefined ? undefined : { size: String(storageBytes) },
    Runtime: docker.runtime === "" ? undefined : docker.runtime,
  };
  return { ...config, ...limited };
}

/** Returns the ports that an image's container declares. */
export function exposedPorts({ ports }: DriverContainer): Readonly<Record<string, unknown>> {
  return Object.fromEntries(ports.map(({ port }) => [`${port}/tcp`, {}]));
}

/** Ports of the host that the engine picks, for its own users only. */
function portBindings({ ports }: DriverContainer): Readonly<Record<string, unknown>> {
  const binding = [{ HostIp: "127.0.0.1", HostPort: "" }];
  return Object.fromEntries(ports.map(({ port }) => [`${port}/tcp`, binding]));
}

function device(text: string): unknown {
  const [host = "", inside = host, permissions = "rwm"] = text.split(":");
  return { PathOnHost: host, PathInContainer: inside, CgroupPermissions: permissions };
}

function gpuRequests(gpus: string): readonly unknown[] {
  if (gpus === "") return [];
  return [{ Count: gpus === "all" ? -1 : Number(gpus), Capabilities: [["gpu"]] }];
}

/** The variables with which the agent starts, which a template cannot replace (docs/protocol/agent.md §1.1). */
export function agentVariables(
  agent: { readonly token: string; readonly container: DriverContainer },
  serverUrl: string,
): Readonly<Record<string, string>> {
  const { container } = agent;
  return {
    ...container.environment,
    CODER_AGENT_URL: serverUrl,
    CODER_AGENT_TOKEN: agent.token,
    // On the host's network the default ports clash with those of other workspaces; empty disables them.
    ...(container.docker.hostNetwork && {
      CODER_AGENT_PPROF_ADDRESS: "",
      CODER_AGENT_PROMETHEUS_ADDRESS: "",
      CODER_AGENT_DEBUG_ADDRESS: "",
    }),
  };
}

export function environmentList(variables: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(variables).map(([name, value]) => `${name}=${value}`);
}

/** The command line of process 1 of a workspace's container. */
export const entrypoint = ["/bin/sh", `${archiveDirectory}/entry.sh`];
