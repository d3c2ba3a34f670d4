import { listOf, numberOf, objectOf, textOf, textsOf } from "@slipway/runtime";

import { DriverError } from "../errors.ts";
import type { DockerEndpoint } from "./docker-options.ts";
import { EngineConnection } from "./engine-connection.ts";

/** The versions of the Engine API that the driver speaks: Docker 20.10 and podman 4 offer 1.41. */
const oldestApi = [1, 41] as const;
const newestApi = [1, 52] as const;

/** A Docker Engine, or podman's service with the same API, with the version that both sides speak. */
export interface Engine extends EngineFacts {
  readonly connection: EngineConnection;
}

interface EngineFacts {
  /** In Go's words, as in templates: `amd64`. */
  readonly arch: string;
  readonly isPodman: boolean;
}

/** The features of an engine that depend on its configuration and its host. */
export interface EngineInfo {
  readonly runtimes: readonly string[];
  readonly defaultRuntime: string;
  readonly storageDriver: string;
  readonly isRootless: boolean;
  readonly cpuCount: number;
  /** The resources that it can limit. */
  readonly limits: {
    readonly memory: boolean;
    readonly swap: boolean;
    readonly cpu: boolean;
    readonly pids: boolean;
  };
}

/** Negotiates the version of the API. Throws `unavailable`, also for an engine without a common version. */
export async function openEngine(endpoint: DockerEndpoint, signal: AbortSignal): Promise<Engine> {
  const unversioned = new EngineConnection(endpoint, "");
  const version = objectOf(await unversioned.json({ method: "GET", path: "/version", signal }));
  const theirs = parseVersion(textOf(version["ApiVersion"]));
  const theirOldest = parseVersion(textOf(version["MinAPIVersion"]));
  if (isOlder(theirs, oldestApi) || isOlder(newestApi, theirOldest)) {
    throw new DriverError(
      "unavailable",
      `Docker ${textOf(version["Version"])} speaks API ${theirOldest.join(".")} to ${theirs.join(".")}, wanted ${oldestApi.join(".")} to ${newestApi.join(".")}: Docker 20.10 or later, or podman 4 or later`,
    );
  }
  const os = textOf(version["Os"]);
  if (os !== "linux") {
    throw new DriverError("unavailable", `Docker runs containers for ${os}, wanted linux`);
  }
  const [major, minor] = isOlder(theirs, newestApi) ? theirs : newestApi;
  const components = listOf(version["Components"]).map((one) => textOf(objectOf(one)["Name"]));
  return {
    connection: new EngineConnection(endpoint, `/v${major}.${minor}`),
    arch: textOf(version["Arch"]),
    isPodman: components.includes("Podman Engine"),
  };
}

export async function readInfo({ connection }: Engine, signal: AbortSignal): Promise<EngineInfo> {
  const info = objectOf(await connection.json({ method: "GET", path: "/info", signal }));
  const security = textsOf(info["SecurityOptions"]);
  const isRootless = security.includes("name=rootless") || info["Rootless"] === true;
  // The first version of control groups is root's alone; podman then ignores limits in silence.
  const hasGroups = !isRootless || textOf(info["CgroupVersion"]) === "2";
  return {
    runtimes: Object.keys(objectOf(info["Runtimes"])),
    defaultRuntime: textOf(info["DefaultRuntime"]),
    storageDriver: textOf(info["Driver"]),
    isRootless,
    cpuCount: numberOf(info["NCPU"]),
    limits: {
      memory: hasGroups && info["MemoryLimit"] === true,
      swap: hasGroups && info["SwapLimit"] === true,
      cpu: hasGroups && info["CpuCfsQuota"] === true,
      pids: hasGroups && info["PidsLimit"] === true,
    },
  };
}

type Version = readonly [number, number];

function parseVersion(text: string): Version {
  const [major = 0, minor = 0] = text.split(".").map((part) => Number.parseInt(part, 10) || 0);
  return [major, minor];
}

function isOlder([major, minor]: Version, [otherMajor, otherMinor]: Version): boolean {
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}
