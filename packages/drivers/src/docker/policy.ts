import { realpath } from "node:fs/promises";
import { posix } from "node:path";

import { systemErrorCode } from "@slipway/runtime";

import type { DriverContainer } from "../driver-build.ts";
import type { PlannedAgent } from "../driver.ts";
import { DriverError } from "../errors.ts";
import type { DockerEndpoint, DockerPermission } from "./docker-options.ts";
import type { EngineInfo } from "./engine.ts";
import { archiveDirectory } from "./entry-script.ts";
import { requireUser } from "./user-files.ts";

export interface Policy {
  readonly allow: ReadonlySet<DockerPermission>;
  readonly runtimes: readonly string[];
  readonly network: string | undefined;
  readonly endpoint: DockerEndpoint;
}

/** A container that the engine can run and the operator permits. */
export interface PermittedAgent extends PlannedAgent {
  readonly container: DriverContainer;
}

/**
 * Checks what a template asks for. Throws `invalid-template`, naming every field that the operator does not permit and
 * the setting that does, or that the engine does not have.
 */
export async function requirePermitted(
  agents: readonly PlannedAgent[],
  policy: Policy,
  info: EngineInfo,
): Promise<readonly PermittedAgent[]> {
  const permitted = agents.map(requireContainer);
  const problems: string[] = [];
  for (const { name, container } of permitted) {
    const found = [
      ...forbiddenWishes(container, policy),
      ...runtimeProblems(container, policy, info),
      ...limitProblems(container, info),
      ...fieldProblems(container),
      ...(await bindProblems(container, policy.endpoint)),
    ];
    problems.push(...found.map((problem) => `agents.${name}.container.${problem}`));
  }
  if (problems.length === 0) return permitted;
  throw new DriverError("invalid-template", problems.join("\n"));
}

function requireContainer(agent: PlannedAgent): PermittedAgent {
  const { name, platform, container } = agent;
  if (platform.os !== "linux") {
    throw new DriverError(
      "invalid-template",
      `agents.${name}.os: ${platform.os}, wanted linux for the driver docker`,
    );
  }
  if (container === undefined) {
    throw new DriverError(
      "invalid-template",
      `agents.${name}.container: missing; the driver docker needs the container's image`,
    );
  }
  if (container.user !== "") requireUser(container.user);
  return { ...agent, container };
}

function forbiddenWishes({ docker }: DriverContainer, policy: Policy): readonly string[] {
  const isOwnNetwork = docker.network === "" || docker.network === policy.network;
  const wishes: readonly (readonly [string, DockerPermission, boolean])[] = [
    ["privileged", "privileged", docker.isPrivileged],
    ["host_network", "host-network", docker.hostNetwork],
    ["host_pid", "host-pid", docker.hostPid],
    ["devices", "devices", docker.devices.length > 0],
    ["binds", "binds", docker.binds.length > 0],
    ["capabilities", "capabilities", docker.capabilities.length > 0],
    ["network", "networks", !isOwnNetwork],
  ];
  const forbidden = wishes.flatMap(([field, permission, isWished]) =>
    isWished && !policy.allow.has(permission)
      ? [
          `docker.${field}: not permitted by this server; an operator permits it by adding ${permission} to SLIPWAY_DOCKER_ALLOW`,
        ]
      : [],
  );
  const hasNetworkName = isOwnNetwork || isNetworkName(docker.network);
  return [
    ...forbidden,
    ...(hasNetworkName
      ? []
      : [`docker.network: ${quote(docker.network)}, wanted a network's name`]),
    ...docker.capabilities
      .filter((name) => !/^[A-Z_]{1,32}$/.test(name))
      .map((name) => `docker.capabilities: ${quote(name)}, wanted a name such as SYS_PTRACE`),
    ...docker.devices
      .filter((device) => !/^\/dev\/[\w/.-]+(?::\/[\w/.-]+(?::[rwm]{1,3})?)?$/.test(device))
      .map((device) => `docker.devices: ${quote(device)}, wanted a device such as /dev/fuse`),
  ];
}

/** Names with which an engine does something else than to join a network. */
const reservedNetworks = new Set(["host", "none", "default", "private", "pasta", "slirp4netns"]);

function isNetworkName(name: string): boolean {
  return /^[\da-z][\w.-]{0,127}$/i.test(name) && !reservedNetworks.has(name);
}

function runtimeProblems(
  { docker: { runtime } }: DriverContainer,
  { runtimes }: Policy,
  info: EngineInfo,
): readonly string[] {
  if (runtime === "" || runtime === info.defaultRuntime) return [];
  if (!runtimes.includes(runtime)) {
    return [
      `docker.runtime: ${quote(runtime)} is not permitted by this server; an operator permits it by adding it to SLIPWAY_DOCKER_RUNTIMES`,
    ];
  }
  if (info.runtimes.includes(runtime)) return [];
  return [
    `docker.runtime: ${quote(runtime)} is not installed; this Docker has ${info.runtimes.join(", ")}`,
  ];
}

function limitProblems(container: DriverContainer, { limits }: EngineInfo): readonly string[] {
  const wished: readonly (readonly [string, unknown, boolean])[] = [
    ["cpus", container.cpus, limits.cpu],
    ["memory", container.memoryBytes, limits.memory],
    ["pids", container.pids, limits.pids],
  ];
  return wished.flatMap(([field, value, isOffered]) =>
    value === undefined || isOffered
      ? []
      : [
          `${field}: this Docker cannot limit it; a rootless engine needs cgroup version 2 with delegation`,
        ],
  );
}

const hostEntry = /^[\da-z][\w.-]{0,252}:(?:host-gateway|[\d.]{7,15}|[\da-f:]{2,39})$/i;

/** Finds values that the engine would take for something else. */
function fieldProblems({ docker, environment, volumes }: DriverContainer): readonly string[] {
  const { extraHosts, gpus } = docker;
  return [
    ...extraHosts
      .filter((entry) => !hostEntry.test(entry))
      .map((entry) => `docker.extra_hosts: ${quote(entry)}, wanted name:address`),
    ...Object.keys(environment)
      .filter((name) => !/^[^=\0]+$/.test(name))
      .map((name) => `environment: ${quote(name)}, wanted a variable's name`),
    ...volumes
      .filter(({ name }) => !/^[\da-z][\w.-]{0,62}$/i.test(name))
      .map(({ name }) => `volumes: ${quote(name)}, wanted a name of letters, digits and hyphens`),
    ...volumes
      .filter(({ path }) => !isVolumePath(path))
      .map(({ path }) => `volumes: ${quote(path)}, wanted an absolute path of the workspace`),
    ...(/^(?:all|\d{1,3})?$/.test(gpus)
      ? []
      : [`docker.gpus: ${quote(gpus)}, wanted all or a number`]),
  ];
}

function isVolumePath(path: string): boolean {
  const isPlain = path.startsWith("/") && path !== "/" && posix.normalize(path) === path;
  return isPlain && !path.endsWith("/") && !isWithin(path, archiveDirectory);
}

/** The usual places of engines' sockets, besides the one of the endpoint. */
const socketPaths = [
  "/var/run/docker.sock",
  "/run/docker.sock",
  "/run/containerd",
  "/run/podman",
  "/run/user",
];

/**
 * Finds malformed binds, and those of a socket of an engine or a directory above it, which no setting permits: who has
 * the socket controls the host and every other workspace.
 */
async function bindProblems(
  { docker: { binds } }: DriverContainer,
  endpoint: DockerEndpoint,
): Promise<readonly string[]> {
  const sockets = [...socketPaths, ...("socketPath" in endpoint ? [endpoint.socketPath] : [])];
  const places = new Set([...sockets, ...(await Promise.all(sockets.map(resolvePath)))]);
  const problems: string[] = [];
  for (const bind of binds) {
    const [, source = "", target = ""] =
      /^(\/[^:]*):(\/[^:]+)(?::(?:ro|rw|z|Z)(?:,(?:ro|rw|z|Z))*)?$/.exec(bind) ?? [];
    const path = posix.normalize(source);
    const isOurs = isWithin(posix.normalize(target), archiveDirectory);
    if (source === "" || isOurs) {
      problems.push(`docker.binds: ${quote(bind)}, wanted host path:container path[:ro]`);
    } else if (await reachesSocket(path, places)) {
      problems.push(
        `docker.binds: ${quote(bind)} contains the socket of a container engine, which no container gets`,
      );
    }
  }
  return problems;
}

async function reachesSocket(path: string, places: ReadonlySet<string>): Promise<boolean> {
  const resolved = await resolvePath(path);
  return [...places].some(
    (place) =>
      isWithin(place, path) ||
      isWithin(place, resolved) ||
      // A directory that holds sockets.
      isWithin(resolved, place),
  );
}

/** Resolves the links in a path, also of one that does not exist yet, as they are if the engine is on this machine. */
async function resolvePath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return posix.join(await resolvePath(posix.dirname(path)), posix.basename(path));
  }
}

function isWithin(path: string, directory: string): boolean {
  const prefix = directory.endsWith("/") ? directory : `${directory}/`;
  return path === directory || path.startsWith(prefix);
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
