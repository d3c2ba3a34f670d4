import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { plainDocker, sampleContainer } from "@slipway/testkit/compliance";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { DockerSettings, DriverContainer } from "../driver-build.ts";
import { dockerPermissions } from "./docker-options.ts";
import type { EngineInfo } from "./engine.ts";
import { type Policy, requirePermitted } from "./policy.ts";

const info: EngineInfo = {
  runtimes: ["runc", "runsc"],
  defaultRuntime: "runc",
  storageDriver: "overlay2",
  isRootless: false,
  cpuCount: 2,
  limits: { memory: true, swap: true, cpu: true, pids: true },
};
const strict: Policy = {
  allow: new Set(),
  runtimes: ["runsc", "kata"],
  network: "workspaces",
  endpoint: { socketPath: "/opt/engine/docker.sock" },
};
const generous: Policy = { ...strict, allow: new Set(dockerPermissions) };

const platform = { os: "linux", arch: "amd64" };
const box = sampleContainer("debian:12", {
  cpus: 2,
  memoryBytes: 1024 ** 3,
  pids: 100,
  ports: [{ name: "web", port: 8080 }],
});

function check(
  docker: Partial<DockerSettings>,
  policy: Policy = strict,
  fields: Partial<DriverContainer> = {},
): Promise<unknown> {
  const container = { ...box, docker: { ...plainDocker, ...docker }, ...fields };
  return requirePermitted([{ name: "main", platform, container }], policy, info);
}

describe("what a template may ask for", () => {
  it("is everything that gives no power over the host", async () => {
    await check({});
    await check({ runtime: "runc", network: "workspaces", gpus: "all", shmBytes: 1024 ** 2 });
    await check({ runtime: "runsc", extraHosts: ["db:10.0.0.7", "here:host-gateway"] });
  });

  it.each([
    ["privileged", "privileged", { isPrivileged: true }],
    ["host_network", "host-network", { hostNetwork: true }],
    ["host_pid", "host-pid", { hostPid: true }],
    ["devices", "devices", { devices: ["/dev/fuse"] }],
    ["binds", "binds", { binds: ["/srv/data:/data"] }],
    ["capabilities", "capabilities", { capabilities: ["SYS_PTRACE"] }],
    ["network", "networks", { network: "other" }],
  ] as const)("needs permission for docker.%s", async (field, permission, wish) => {
    await expect(check(wish)).rejects.toMatchObject({
      code: "invalid-template",
      message: `agents.main.container.docker.${field}: not permitted by this server; an operator permits it by adding ${permission} to SLIPWAY_DOCKER_ALLOW`,
    });
    await check(wish, { ...strict, allow: new Set([permission]) });
    const others = dockerPermissions.filter((one) => one !== permission);
    await expect(check(wish, { ...strict, allow: new Set(others) })).rejects.toThrow(permission);
  });

  it("is named at once if it is several things", async () => {
    await expect(check({ isPrivileged: true, hostPid: true })).rejects.toThrow(
      /docker\.privileged: .*\n.*docker\.host_pid: /,
    );
  });

  it("is a runtime that the operator lists and the engine has", async () => {
    await expect(check({ runtime: "sysbox-runc" })).rejects.toThrow("SLIPWAY_DOCKER_RUNTIMES");
    await expect(check({ runtime: "kata" })).rejects.toThrow("is not installed");
  });

  it("is never a network of another kind", async () => {
    for (const network of ["host", "none", "container:abc", "ns:/proc/1/ns/net", "a b"]) {
      await expect(check({ network }, generous)).rejects.toThrow("wanted a network's name");
    }
  });

  it("is never malformed", async () => {
    await expect(check({ capabilities: ["sys_admin;"] }, generous)).rejects.toThrow("SYS_PTRACE");
    await expect(check({ devices: ["/etc/shadow"] }, generous)).rejects.toThrow("/dev/fuse");
    await expect(check({ extraHosts: ["a:b c"] })).rejects.toThrow("wanted name:address");
    await expect(check({ binds: ["data:/data"] }, generous)).rejects.toThrow("wanted host path");
    await expect(check({ binds: ["/a:/.slipway/x"] }, generous)).rejects.toThrow("wanted host");
    await expect(check({ binds: ["/a:/b:rshared"] }, generous)).rejects.toThrow("wanted host path");
    await expect(check({}, strict, { user: "a b" })).rejects.toThrow("wanted a name");
    await expect(check({ gpus: "one" })).rejects.toThrow("wanted all or a number");
    const environment = { "CODER_AGENT_TOKEN=stolen": "" };
    await expect(check({}, strict, { environment })).rejects.toThrow("wanted a variable's name");
    for (const path of ["data", "/", "/.slipway/slipway", "/a/../b", "/a/"]) {
      const volumes = [{ name: "data", path, isReadOnly: false }];
      await expect(check({}, strict, { volumes }), path).rejects.toThrow("wanted an absolute path");
    }
    const volumes = [{ name: "../data", path: "/data", isReadOnly: false }];
    await expect(check({}, strict, { volumes })).rejects.toThrow("wanted a name of letters");
  });

  it("is limited as the engine can", async () => {
    const limits = { memory: false, swap: false, cpu: true, pids: true };
    const subject = [{ name: "main", platform, container: box }];
    await expect(requirePermitted(subject, strict, { ...info, limits })).rejects.toThrow(
      "agents.main.container.memory: this Docker cannot limit it",
    );
  });
});

it("refuses agents without a container, and those of other systems", async () => {
  const agent = { name: "main", platform, container: undefined };
  await expect(requirePermitted([agent], strict, info)).rejects.toThrow("needs the container's");
  const other = { ...agent, platform: { os: "windows", arch: "amd64" } };
  await expect(requirePermitted([other], strict, info)).rejects.toThrow("wanted linux");
});

describe("the socket of an engine", () => {
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "slipway-test-"));
    await symlink("/var/run", join(directory, "link"));
  });

  afterAll(() => rm(directory, { recursive: true, force: true }));

  it("is in no container, whatever the operator permits", async () => {
    const paths = [
      "/var/run/docker.sock",
      "/run/docker.sock",
      "/var/run",
      "/run/",
      "/",
      "//",
      "/var/../run",
      "/opt/engine",
      "/opt/engine/docker.sock",
      "/run/user/1000/podman",
      "/proc/self/root/run",
      join(directory, "link"),
      join(directory, "link/docker.sock"),
    ];
    for (const path of paths) {
      await expect(check({ binds: [`${path}:/x`] }, generous), path).rejects.toThrow(
        "contains the socket of a container engine",
      );
    }
    await check({ binds: ["/srv:/srv:ro", `${directory}:/data`] }, generous);
  });
});
